//! What a server wrote to its log about one database.

use std::fs;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

/// The part of a server's log from one moment on.
#[derive(Debug, Clone)]
pub(crate) struct LogTail {
    path: PathBuf,
    start: u64,
}

/// One error in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogError {
    /// The five characters.
    pub sqlstate: String,
    /// The line from the severity on: `ERROR:  25P02: current transaction is aborted, …`.
    pub message: String,
}

impl LogTail {
    pub(crate) fn from_now_on(path: &Path) -> io::Result<Self> {
        Ok(Self { path: path.to_owned(), start: fs::metadata(path)?.len() })
    }

    pub(crate) fn errors_of(&self, database: &str) -> io::Result<Vec<LogError>> {
        let mut file = fs::File::open(&self.path)?;
        file.seek(SeekFrom::Start(self.start))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        Ok(errors_in(&String::from_utf8_lossy(&bytes), database))
    }
}

/// A statement is logged with a tab at the start of all lines but its first, and its first line has the prefix and
/// `STATEMENT:`: so what looks like a prefix inside of a statement is not taken for one.
fn errors_in(log: &str, database: &str) -> Vec<LogError> {
    let prefix = format!(" database={database} sqlstate=");
    log.lines()
        .filter(|line| !line.starts_with('\t'))
        .filter_map(|line| {
            let (_, rest) = line.split_once(&prefix)?;
            let (sqlstate, message) = rest.split_once(' ')?;
            ["ERROR:", "FATAL:", "PANIC:"]
                .iter()
                .any(|severity| message.starts_with(severity))
                .then(|| LogError { sqlstate: sqlstate.to_owned(), message: message.to_owned() })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_errors_of_the_database_count() {
        let log = "\
2026-01-01 00:00:00.000 UTC [7] database=one sqlstate=42P01 ERROR:  42P01: relation \"a\" does not exist
2026-01-01 00:00:00.000 UTC [7] database=one sqlstate=42P01 STATEMENT:  select '
\t database=one sqlstate=25P02 ERROR:  no error
2026-01-01 00:00:00.000 UTC [8] database=one_more sqlstate=25P02 ERROR:  25P02: current transaction is aborted
2026-01-01 00:00:00.000 UTC [9] database= sqlstate=00000 LOG:  00000: ready
";
        let found = errors_in(log, "one");
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].sqlstate, "42P01");
        assert_eq!(found[0].message, "ERROR:  42P01: relation \"a\" does not exist");
    }
}
