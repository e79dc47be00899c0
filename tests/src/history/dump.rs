//! The schema of a database as `pg_dump` writes it, in one spelling for what means the same.

use crate::Database;
use crate::binaries::ServerBinaries;
use std::io;
use std::path::PathBuf;
use std::process::Command;

/// The program.
#[derive(Clone, Debug)]
pub struct PgDump {
    program: PathBuf,
}

/// No dump.
#[derive(Debug, thiserror::Error)]
pub enum DumpError {
    /// The program can't be run.
    #[error("cannot run `{}`: {source}\nhelp: install PostgreSQL's client programs", program.display())]
    Run {
        /// The program.
        program: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// It said no.
    #[error("`pg_dump` failed: {0}")]
    Failed(String),
}

impl PgDump {
    /// The one beside the server's programs, else the one on `PATH`.
    ///
    /// # Errors
    /// Where there is none.
    pub fn find() -> Result<Self, DumpError> {
        let beside = ServerBinaries::find().ok().map(|binaries| binaries.directory().join("pg_dump")).filter(|path| path.is_file());
        let program = beside.unwrap_or_else(|| PathBuf::from("pg_dump"));
        match Command::new(&program).arg("--version").output() {
            Ok(_) => Ok(Self { program }),
            Err(source) => Err(DumpError::Run { program, source }),
        }
    }

    /// The schema of a database: one entry an object, sorted, without comments, the columns of a table sorted by name.
    ///
    /// # Errors
    /// Where the program fails.
    pub fn dump(&self, database: &Database) -> Result<String, DumpError> {
        let run = |source| DumpError::Run { program: self.program.clone(), source };
        let output = Command::new(&self.program).args(["--schema-only", "--no-owner", "--dbname", database.url()]).output().map_err(run)?;
        if !output.status.success() {
            return Err(DumpError::Failed(String::from_utf8_lossy(&output.stderr).into_owned()));
        }
        Ok(normalize(&String::from_utf8_lossy(&output.stdout)))
    }
}

/// `pg_dump` writes `--`, `-- Name: …; Type: …`, `--` before each object.
fn normalize(dump: &str) -> String {
    let mut entries = vec![String::new()];
    for line in dump.lines() {
        if line.starts_with("-- Name: ") {
            entries.push(String::new());
        }
        let noise = line.is_empty() || line.starts_with("--") || line.starts_with("\\restrict") || line.starts_with("\\unrestrict");
        if let Some(entry) = entries.last_mut().filter(|_| !noise) {
            entry.push_str(&sort_options(line));
            entry.push('\n');
        }
    }
    let mut entries: Vec<String> = entries.iter().map(|entry| sort_columns(entry)).collect();
    entries.sort();
    entries.concat()
}

/// `WITH (b='2', a='1')` in the order of the names.
fn sort_options(line: &str) -> String {
    let inside = line.strip_prefix("WITH (").and_then(|rest| rest.split_once(')'));
    let Some((options, rest)) = inside else { return line.to_owned() };
    let mut options: Vec<_> = options.split(", ").collect();
    options.sort_unstable();
    format!("WITH ({}){rest}", options.join(", "))
}

/// The lines between `CREATE TABLE … (` and `)` in the order of their text, without the commas.
fn sort_columns(entry: &str) -> String {
    let mut lines: Vec<&str> = entry.lines().collect();
    let table = |line: &str| line.starts_with("CREATE ") && line.contains("TABLE ") && line.ends_with('(');
    let Some(start) = lines.iter().position(|line| table(line)) else { return entry.to_owned() };
    let end = lines.iter().skip(start).position(|line| line.starts_with(')')).map_or(lines.len(), |length| start + length);
    for line in &mut lines[start + 1..end] {
        *line = line.strip_suffix(',').unwrap_or(line);
    }
    lines[start + 1..end].sort_unstable();
    lines.iter().flat_map(|line| [line, "\n"]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_is_no_difference() {
        let one = "--\n-- Name: t; Type: TABLE\n--\n\nCREATE TABLE public.t (\n    b integer,\n    a text NOT NULL\n);\n\n\n--\n-- Name: u\n--\n\nx;\n";
        let other = "\\restrict 1\n-- Name: u\n--\n\nx;\n--\n-- Name: t; Type: TABLE\n--\n\nCREATE TABLE public.t (\n    a text NOT NULL,\n    b integer\n);\n";
        assert_eq!(normalize(one), normalize(other));
        assert_ne!(normalize(one), normalize(&other.replace(" NOT NULL", "")));
        assert_eq!(sort_options("WITH (fillfactor='70', autovacuum_enabled='off');"), "WITH (autovacuum_enabled='off', fillfactor='70');");
    }
}
