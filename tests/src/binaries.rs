//! Where the PostgreSQL server's programs are.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

/// The directory to take `initdb` and `postgres` from, instead of the newest one found.
pub const DIRECTORY_VARIABLE: &str = "MIGRATE_TEST_PG_BIN";

/// A directory that has both `initdb` and `postgres`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerBinaries {
    directory: PathBuf,
}

/// No usable server programs.
#[derive(Debug, thiserror::Error)]
pub enum BinariesError {
    /// Nothing was named and nothing was found.
    #[error(
        "no PostgreSQL server found\n\
         help: install one (Debian and Ubuntu: `apt-get install postgresql`), or set `{DIRECTORY_VARIABLE}` to a \
         directory with `initdb` and `postgres`, or set `MIGRATE_TEST_PG_URL` to a superuser's URL of a running server"
    )]
    NotFound,
    /// A directory was named, and it lacks a program.
    #[error(
        "`{}` has no `{program}`\nhelp: let `{DIRECTORY_VARIABLE}` name a PostgreSQL server's `bin`",
        directory.display()
    )]
    Incomplete {
        /// The directory that was named.
        directory: PathBuf,
        /// The first program that it lacks.
        program: &'static str,
    },
}

impl ServerBinaries {
    /// The directory named by `MIGRATE_TEST_PG_BIN`, else the newest version in Debian's place, else the directory of
    /// the `initdb` on `PATH`.
    ///
    /// # Errors
    /// Where none of the three has a server. A directory that was named is never replaced by another one.
    pub fn find() -> Result<Self, BinariesError> {
        if let Some(directory) = env::var_os(DIRECTORY_VARIABLE) {
            return Self::at(directory.into());
        }
        newest_in(Path::new("/usr/lib/postgresql"))
            .into_iter()
            .chain(on_path())
            .find_map(|directory| Self::at(directory).ok())
            .ok_or(BinariesError::NotFound)
    }

    /// The programs of this directory.
    ///
    /// # Errors
    /// Where `initdb` or `postgres` is missing.
    pub fn at(directory: PathBuf) -> Result<Self, BinariesError> {
        for program in ["initdb", "postgres"] {
            if !directory.join(program).is_file() {
                return Err(BinariesError::Incomplete { directory, program });
            }
        }
        Ok(Self { directory })
    }

    /// The directory that has the programs.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.directory
    }
}

fn newest_in(root: &Path) -> Vec<PathBuf> {
    let mut versions: Vec<(u32, PathBuf)> = fs::read_dir(root)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path().join("bin"))))
        .collect();
    versions.sort_by_key(|(version, _)| std::cmp::Reverse(*version));
    versions.into_iter().map(|(_, directory)| directory).collect()
}

/// `initdb` on `PATH` is often a link, and `postgres` is only beside what it links to.
fn on_path() -> Vec<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path)
        .filter_map(|directory| fs::canonicalize(directory.join("initdb")).ok())
        .filter_map(|initdb| initdb.parent().map(Path::to_owned))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_without_postgres_is_refused() {
        let Err(BinariesError::Incomplete { program, .. }) = ServerBinaries::at("/etc".into()) else {
            panic!("accepted");
        };
        assert_eq!(program, "initdb");
    }

    #[test]
    fn versions_are_compared_as_numbers() {
        let root = env::temp_dir().join(format!("migrate-test-binaries-{}", std::process::id()));
        for version in ["9", "10", "not a version"] {
            fs::create_dir_all(root.join(version)).unwrap();
        }
        let found = newest_in(&root);
        fs::remove_dir_all(&root).unwrap();
        assert_eq!(found, [root.join("10/bin"), root.join("9/bin")]);
    }
}
