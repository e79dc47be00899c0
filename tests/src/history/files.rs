//! The files of a history.

use std::fs;
use std::io;
use std::path::Path;

/// One migration of a history.
#[derive(Clone, Debug)]
pub struct Migration {
    /// Its file, from the history's folder on.
    pub name: String,
    /// Its text.
    pub sql: String,
}

impl Migration {
    /// The migrations in a folder, in their order: `NNNN_name.up.sql`, `NNNN_name.sql` or `NNNN_name/up.sql`. Files that
    /// end in `down.sql` and those without a number are none.
    ///
    /// # Errors
    /// Where a file can't be read.
    pub fn read_all(folder: &Path) -> io::Result<Vec<Self>> {
        let mut migrations = Vec::new();
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            let Some(entry_name) = path.file_name().and_then(|name| name.to_str()).map(str::to_owned) else { continue };
            let Some(number) = number(&entry_name) else { continue };
            let (name, file) = if path.is_dir() { (format!("{entry_name}/up.sql"), path.join("up.sql")) } else { (entry_name, path) };
            if file.is_file() && is_migration(&name) {
                let sql = String::from_utf8_lossy(&fs::read(&file)?).into_owned();
                migrations.push((number, Self { name, sql }));
            }
        }
        migrations.sort_by(|(left, a), (right, b)| left.cmp(right).then_with(|| a.name.cmp(&b.name)));
        Ok(migrations.into_iter().map(|(_, migration)| migration).collect())
    }

    /// `file:line` of a byte of its text.
    #[must_use]
    pub fn place(&self, byte: usize) -> String {
        format!("{}:{}", self.name, self.line(byte))
    }

    /// The line of a byte of its text, from 1.
    #[must_use]
    pub fn line(&self, byte: usize) -> usize {
        self.sql.get(..byte).unwrap_or_default().matches('\n').count() + 1
    }
}

fn is_migration(name: &str) -> bool {
    Path::new(name).extension().is_some_and(|extension| extension == "sql") && !name.ends_with("down.sql")
}

/// What the name begins with: `0001`, `2024-01-02-030405`, `V7`.
fn number(name: &str) -> Option<u128> {
    let name = name.trim_start_matches(['V', 'v']);
    let digits = name.chars().take_while(|c| c.is_ascii_digit() || *c == '-').filter(char::is_ascii_digit);
    digits.collect::<String>().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_order_migrations() {
        assert_eq!(number("0010_a.up.sql"), Some(10));
        assert_eq!(number("2024-01-02-030405_a"), Some(20_240_102_030_405));
        assert_eq!(number("V7__a.sql"), Some(7));
        assert_eq!(number("readme.sql"), None);
        assert!(!is_migration("1_a.down.sql") && is_migration("1_a/up.sql"));
    }
}
