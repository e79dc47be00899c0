//! `.case` files: one behaviour of the language each, as plain text.
//!
//! ```text
//! One line that says what the case shows.
//! == server 15+
//! == base
//! create table documents (id uuid primary key);
//! == migration
//! alter table documents add column title text;
//! == sql up
//! …
//! ```
//! `base` and `migration` are written by people, in PostgreSQL's own SQL. What follows is written by running the tests
//! with `UPDATE_CASES=1`, and read by people: `sql up`, `sql down`, `schema after` and `effects`, or `errors`. What the model
//! lets pass and no server does says `== server refuses`; `== as written` puts `#[as_written]` before every statement.
//!
//! The cases of lints are in the folder `lints`. People write two more sections: `instead`, the safe sequence that the
//! lint asks for, and `branch`, another migration on the same base. What comes out is `lints` and `effects`, and the same
//! for the safe sequence: `lints instead`, where there are any, and `effects instead`.

mod outcome;
mod properties;
mod reformat;

pub use outcome::Outcome;

use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use thiserror::Error;

/// One case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    /// What it shows.
    pub title: String,
    /// The oldest major version of PostgreSQL that it runs on, where that isn't the oldest supported one.
    pub server: Option<u32>,
    /// Whether every server refuses the migration: `== server refuses`.
    pub refused: bool,
    /// Whether the statements of the migration are `#[as_written]`: `== as written`.
    pub as_written: bool,
    /// The SQL that makes the schema before the migration.
    pub base: String,
    /// The SQL of a migration on the same base that the one below knows nothing of.
    pub branch: Option<String>,
    /// The SQL of the migration.
    pub migration: String,
    /// The SQL that a lint asks for instead.
    pub instead: Option<String>,
    /// Whether it shows what lints find.
    pub lints: bool,
    /// What is expected of it: sections in their order, each with its text. Empty in a case that has not been run yet.
    pub expected: Vec<(String, String)>,
}

/// A file that is no case.
#[derive(Debug, Error)]
pub enum CaseError {
    /// It can't be read or written. Nothing was run.
    #[error("can't access `{path}`: {source}")]
    Io {
        /// The file or the directory.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It isn't laid out as a case. Correct the line that is named.
    #[error("`{path}`, line {line}: {message}")]
    Layout {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong there.
        message: String,
    },
    /// Its base doesn't replay. Correct the section `base`.
    #[error("the base is wrong:\n{problems}")]
    Base {
        /// What is wrong with it, with carets.
        problems: String,
    },
}

/// The sections that people don't write, in their order.
const EXPECTED: &[&str] = &["lints", "sql up", "sql down", "schema after", "effects", "lints instead", "effects instead", "errors"];

impl Case {
    /// All case files below `directory`, sorted.
    pub fn files(directory: &Path) -> Result<Vec<PathBuf>, CaseError> {
        let failed = |source| CaseError::Io { path: directory.to_owned(), source };
        let mut files = Vec::new();
        for entry in fs::read_dir(directory).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            if path.is_dir() {
                files.extend(Self::files(&path)?);
            } else if path.extension().is_some_and(|extension| extension == "case") {
                files.push(path);
            }
        }
        files.sort();
        Ok(files)
    }

    /// Reads a case.
    pub fn read(path: &Path) -> Result<Self, CaseError> {
        let text = fs::read_to_string(path).map_err(|source| CaseError::Io { path: path.to_owned(), source })?;
        let mut case = Self::parse(&text).map_err(|(line, message)| CaseError::Layout { path: path.to_owned(), line, message })?;
        case.lints = path.ancestors().nth(2).and_then(Path::file_name).is_some_and(|folder| folder == "lints");
        Ok(case)
    }

    /// A case that expects nothing.
    #[must_use]
    pub fn of(base: &str, migration: &str) -> Self {
        Self {
            title: String::new(),
            server: None,
            refused: false,
            as_written: false,
            base: base.to_owned(),
            branch: None,
            migration: migration.to_owned(),
            instead: None,
            lints: false,
            expected: Vec::new(),
        }
    }

    /// The safe sequence as a case of its own.
    #[must_use]
    pub fn of_instead(&self) -> Option<Self> {
        Some(Self { migration: self.instead.clone()?, instead: None, refused: false, expected: Vec::new(), ..self.clone() })
    }

    fn parse(text: &str) -> Result<Self, (usize, String)> {
        let mut lines = text.lines().enumerate().map(|(i, line)| (i + 1, line)).peekable();
        let title = lines.next().map(|(_, line)| line.trim().to_owned()).unwrap_or_default();
        if title.is_empty() || title.starts_with("==") {
            return Err((1, "the first line has to say what the case shows".to_owned()));
        }
        let mut case = Self { title, ..Self::of("", "") };
        while let Some((number, line)) = lines.next() {
            let name = line.strip_prefix("== ").map(str::trim).ok_or((number, "expected `== section`".to_owned()))?;
            let mut body = String::new();
            while let Some((_, line)) = lines.next_if(|(_, line)| !line.starts_with("== ")) {
                body.push_str(line);
                body.push('\n');
            }
            match name {
                "base" => case.base = body,
                "branch" => case.branch = Some(body),
                "migration" => case.migration = body,
                "instead" => case.instead = Some(body),
                name if EXPECTED.contains(&name) => case.expected.push((name.to_owned(), body)),
                "server refuses" => case.refused = true,
                "as written" => case.as_written = true,
                name => {
                    let version = name.strip_prefix("server ").and_then(|rest| rest.strip_suffix('+')?.parse().ok());
                    case.server = Some(version.ok_or((number, format!("there is no section `{name}`")))?);
                }
            }
        }
        if case.migration.trim().is_empty() {
            return Err((1, "there is no section `migration`".to_owned()));
        }
        Ok(case)
    }

    /// The file that holds the case with `expected` as its outcome.
    #[must_use]
    pub fn print(&self, expected: &[(String, String)]) -> String {
        let mut text = format!("{}\n", self.title);
        if let Some(server) = self.server {
            let _ = writeln!(text, "== server {server}+");
        }
        if self.refused {
            text.push_str("== server refuses\n");
        }
        if self.as_written {
            text.push_str("== as written\n");
        }
        if !self.base.is_empty() {
            let _ = write!(text, "== base\n{}", self.base);
        }
        if let Some(branch) = &self.branch {
            let _ = write!(text, "== branch\n{branch}");
        }
        let _ = write!(text, "== migration\n{}", self.migration);
        if let Some(instead) = &self.instead {
            let _ = write!(text, "== instead\n{instead}");
        }
        for (name, body) in expected {
            let _ = write!(text, "== {name}\n{body}");
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "Shows it.\n== server 15+\n== base\ncreate table a ();\n== migration\n\ndrop table a;\n== sql up\nx\n";

    #[test]
    fn prints_what_it_reads() {
        let case = Case::parse(TEXT).unwrap();
        assert_eq!((case.server, case.migration.as_str()), (Some(15), "\ndrop table a;\n"));
        assert_eq!(case.print(&case.expected), TEXT);
        let refused = "Shows it.\n== server refuses\n== migration\nx\n";
        assert_eq!(Case::parse(refused).map(|case| case.print(&[])), Ok(refused.to_owned()));
    }

    #[test]
    fn says_which_line_is_wrong() {
        let error = |text| Case::parse(text).unwrap_err().0;
        assert_eq!(error("== base\n"), 1);
        assert_eq!(error("Shows it.\nsomething\n"), 2);
        assert_eq!(error("Shows it.\n== base\n== sql sideways\n"), 3);
        assert_eq!(error("Shows it.\n== base\nselect 1;\n"), 1);
    }
}
