//! SQLite's result codes, by name, and what a person can do about them.
//!
//! Source: SQLite's page "Result and Error Codes". The low byte of an extended code is its primary code.

use sqlx::error::DatabaseError;

/// Something is wrong with the statement.
pub(super) const ERROR: u32 = 1;
/// Another connection has the lock.
pub(super) const BUSY: u32 = 5;
/// Another connection of this process has the lock.
const LOCKED: u32 = 6;
/// The file, or its folder, can't be written to.
const READONLY: u32 = 8;
/// The file is damaged.
const CORRUPT: u32 = 11;
/// The disk is full.
const FULL: u32 = 13;
/// The file can't be opened.
pub(super) const CANTOPEN: u32 = 14;
/// A row violates a constraint.
pub(super) const CONSTRAINT: u32 = 19;
/// The file isn't a database.
const NOTADB: u32 = 26;

/// A key refers to a row that isn't there.
pub(super) const CONSTRAINT_FOREIGNKEY: u32 = CONSTRAINT | 3 << 8;

/// A result code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Code(pub(super) u32);

impl Code {
    /// The code of an error that SQLite reported.
    pub(super) fn of(error: &dyn DatabaseError) -> Self {
        Self(error.code().and_then(|code| code.parse().ok()).unwrap_or(ERROR))
    }

    /// The kind of error, without its details.
    pub(super) fn primary(self) -> u32 {
        self.0 & 0xff
    }

    /// Whether trying again may help: somebody else has the lock.
    pub(super) fn is_transient(self) -> bool {
        matches!(self.primary(), BUSY | LOCKED)
    }

    /// `SQLITE_CONSTRAINT_NOTNULL (1299)`.
    pub(super) fn describe(self) -> String {
        format!("{} ({})", self.name(), self.0)
    }

    fn name(self) -> &'static str {
        let of = |code: u32| NAMES.iter().find(|(known, _)| *known == code).map(|(_, name)| *name);
        of(self.0).or_else(|| of(self.primary())).unwrap_or("SQLITE_ERROR")
    }

    /// What a person can do about it.
    pub(super) fn help(self) -> &'static str {
        match (self.primary(), self.0 >> 8) {
            (CONSTRAINT, 5) => "fill the nulls (an `update` before it in the migration, or by hand), then run `up` again",
            (CONSTRAINT, 6 | 8 | 10) => "remove or merge the duplicate rows, then run `up` again",
            (CONSTRAINT, 3) => "remove the orphaned rows or add what they refer to, then run `up` again",
            (CONSTRAINT, _) => "correct the rows that violate the constraint, then run `up` again",
            (BUSY | LOCKED, _) => "wait for the program that has the database locked, or end it, then run the command again",
            (READONLY, _) => "make the file and its folder writable for this user, and open it without `mode=ro`",
            (CORRUPT, _) => "restore the file from a backup, or try `sqlite3 FILE .recover`",
            (CANTOPEN, _) => "correct the path in the URL, or give this user access to the file and its folder",
            (NOTADB, _) => "correct the path in the URL: the file there is something else, or is encrypted",
            (FULL, _) => "make room on the disk, then run `up` again",
            (ERROR, _) => {
                "correct the statement, create what is missing before it, or declare its table with `optional!` if only some deployments have it"
            }
            _ => "fix what SQLite says, then run `up` again",
        }
    }
}

const NAMES: &[(u32, &str)] = &[
    (ERROR, "SQLITE_ERROR"),
    (2, "SQLITE_INTERNAL"),
    (3, "SQLITE_PERM"),
    (4, "SQLITE_ABORT"),
    (BUSY, "SQLITE_BUSY"),
    (LOCKED, "SQLITE_LOCKED"),
    (7, "SQLITE_NOMEM"),
    (READONLY, "SQLITE_READONLY"),
    (9, "SQLITE_INTERRUPT"),
    (10, "SQLITE_IOERR"),
    (CORRUPT, "SQLITE_CORRUPT"),
    (12, "SQLITE_NOTFOUND"),
    (FULL, "SQLITE_FULL"),
    (CANTOPEN, "SQLITE_CANTOPEN"),
    (15, "SQLITE_PROTOCOL"),
    (17, "SQLITE_SCHEMA"),
    (18, "SQLITE_TOOBIG"),
    (CONSTRAINT, "SQLITE_CONSTRAINT"),
    (20, "SQLITE_MISMATCH"),
    (21, "SQLITE_MISUSE"),
    (23, "SQLITE_AUTH"),
    (25, "SQLITE_RANGE"),
    (NOTADB, "SQLITE_NOTADB"),
    (BUSY | 1 << 8, "SQLITE_BUSY_RECOVERY"),
    (BUSY | 2 << 8, "SQLITE_BUSY_SNAPSHOT"),
    (BUSY | 3 << 8, "SQLITE_BUSY_TIMEOUT"),
    (LOCKED | 1 << 8, "SQLITE_LOCKED_SHAREDCACHE"),
    (LOCKED | 2 << 8, "SQLITE_LOCKED_VTAB"),
    (READONLY | 1 << 8, "SQLITE_READONLY_RECOVERY"),
    (READONLY | 2 << 8, "SQLITE_READONLY_CANTLOCK"),
    (READONLY | 3 << 8, "SQLITE_READONLY_ROLLBACK"),
    (READONLY | 4 << 8, "SQLITE_READONLY_DBMOVED"),
    (READONLY | 5 << 8, "SQLITE_READONLY_CANTINIT"),
    (READONLY | 6 << 8, "SQLITE_READONLY_DIRECTORY"),
    (CANTOPEN | 2 << 8, "SQLITE_CANTOPEN_ISDIR"),
    (CANTOPEN | 3 << 8, "SQLITE_CANTOPEN_FULLPATH"),
    (CANTOPEN | 6 << 8, "SQLITE_CANTOPEN_SYMLINK"),
    (CONSTRAINT | 1 << 8, "SQLITE_CONSTRAINT_CHECK"),
    (CONSTRAINT | 2 << 8, "SQLITE_CONSTRAINT_COMMITHOOK"),
    (CONSTRAINT_FOREIGNKEY, "SQLITE_CONSTRAINT_FOREIGNKEY"),
    (CONSTRAINT | 4 << 8, "SQLITE_CONSTRAINT_FUNCTION"),
    (CONSTRAINT | 5 << 8, "SQLITE_CONSTRAINT_NOTNULL"),
    (CONSTRAINT | 6 << 8, "SQLITE_CONSTRAINT_PRIMARYKEY"),
    (CONSTRAINT | 7 << 8, "SQLITE_CONSTRAINT_TRIGGER"),
    (CONSTRAINT | 8 << 8, "SQLITE_CONSTRAINT_UNIQUE"),
    (CONSTRAINT | 9 << 8, "SQLITE_CONSTRAINT_VTAB"),
    (CONSTRAINT | 10 << 8, "SQLITE_CONSTRAINT_ROWID"),
    (CONSTRAINT | 11 << 8, "SQLITE_CONSTRAINT_PINNED"),
    (CONSTRAINT | 12 << 8, "SQLITE_CONSTRAINT_DATATYPE"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_have_their_names() {
        assert_eq!(Code(1299).describe(), "SQLITE_CONSTRAINT_NOTNULL (1299)");
        assert_eq!(Code(787).describe(), "SQLITE_CONSTRAINT_FOREIGNKEY (787)");
        assert_eq!(Code(5).describe(), "SQLITE_BUSY (5)");
        // an extended code of no name of its own here has its kind's
        assert_eq!(Code(266).describe(), "SQLITE_IOERR (266)");
    }

    #[test]
    fn the_kind_of_an_extended_code_decides() {
        assert!(Code(261).is_transient());
        assert!(Code(262).is_transient());
        assert!(!Code(1555).is_transient());
    }
}
