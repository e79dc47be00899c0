//! `migrations.lock`: what the migrations that were released do, so that nobody edits one of them unnoticed.
//!
//! A line an operation, and one for the revision as a whole:
//!
//! ```text
//! 774225e563ca up=2 down=0 version=1
//! 774225e563ca 1 2f1a64d4d2b7b9e0 create table `document_versions`
//! 774225e563ca 2 91c3f0b6f8d2a07e add column `documents.ai_status`
//! ```
//!
//! Every line says all of itself and their order says nothing, so git merges the locks of two branches by keeping the lines
//! of both (`merge=union`). The operations of `up!` are numbered from 1, with what `optional!` and `external!` declare;
//! those of a written `down!` go on behind them. The hashes are those of the journal's checksum: over the operations as
//! they are replayed, with the names in them that PostgreSQL would choose.

mod difference;
mod read;

pub use difference::{Difference, differences};
pub use read::{LockProblem, read};

use crate::checksum::{VERSION, of_step};
use crate::step::Step;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// The name of the file, beside that of the list.
pub const FILE: &str = "migrations.lock";

/// What git has to know of it.
pub const ATTRIBUTES: &str = "migrations.lock merge=union";

const HEADER: &str = "\
# Written by `migrate lock`. The order of the lines has no meaning: git merges them by keeping those of both sides.
# An edit of what a locked migration does is a compile error, since databases have run it.
";

/// A lock file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lock {
    /// By revision.
    pub revisions: BTreeMap<String, LockedRevision>,
}

/// A revision that is locked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LockedRevision {
    /// The version of the checksum. Hashes of another version can't be compared.
    pub version: String,
    /// The operations of `up!`.
    pub up: Vec<LockedOperation>,
    /// Those of `down!`; none where it is derived.
    pub down: Vec<LockedOperation>,
}

/// An operation that is locked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LockedOperation {
    /// Hexadecimal digits.
    pub hash: String,
    /// What it is, for people: nothing is read from it.
    pub description: String,
}

impl LockedRevision {
    /// Locks these steps as they are.
    #[must_use]
    pub fn of(up: &[Step], down: &[Step]) -> Self {
        let lock = |step: &Step| LockedOperation { hash: of_step(step), description: one_line(&step.describe()) };
        Self { version: VERSION.to_owned(), up: up.iter().map(lock).collect(), down: down.iter().map(lock).collect() }
    }

    /// Whether its hashes are of this version of the checksum.
    #[must_use]
    pub fn is_comparable(&self) -> bool {
        self.version == VERSION
    }
}

impl Lock {
    /// The text of the file, the revisions in the order of `chain`. What isn't in the chain is left out.
    #[must_use]
    pub fn write<'a>(&self, chain: impl IntoIterator<Item = &'a str>) -> String {
        let mut text = HEADER.to_owned();
        for revision in chain {
            let Some(locked) = self.revisions.get(revision) else { continue };
            let _ = writeln!(text, "{revision} up={} down={} version={}", locked.up.len(), locked.down.len(), locked.version);
            for (i, operation) in locked.up.iter().chain(&locked.down).enumerate() {
                let _ = writeln!(text, "{revision} {} {} {}", i + 1, operation.hash, operation.description);
            }
        }
        text
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
