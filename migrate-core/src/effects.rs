//! What an operation does to a running system, stated once for lints, plans and segmentation.

use crate::name::QualifiedName;
use crate::schema::Schema;
use serde::{Deserialize, Serialize};

/// A table-level lock of PostgreSQL, weakest first (manual, "Explicit Locking").
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum LockMode {
    /// Taken by `select`.
    AccessShare,
    /// Taken by `select for update`.
    RowShare,
    /// Taken by `insert`, `update`, `delete`.
    RowExclusive,
    /// Taken by `create index concurrently`, `validate constraint`.
    ShareUpdateExclusive,
    /// Taken by `create index`: blocks writes.
    Share,
    /// Taken by `add foreign key`, on both tables: blocks writes.
    ShareRowExclusive,
    /// Blocks everything but plain reads.
    Exclusive,
    /// Blocks everything, reads too.
    AccessExclusive,
}

impl LockMode {
    /// As `pg_locks.mode` spells it.
    #[must_use]
    pub fn pg_locks_name(self) -> &'static str {
        match self {
            Self::AccessShare => "AccessShareLock",
            Self::RowShare => "RowShareLock",
            Self::RowExclusive => "RowExclusiveLock",
            Self::ShareUpdateExclusive => "ShareUpdateExclusiveLock",
            Self::Share => "ShareLock",
            Self::ShareRowExclusive => "ShareRowExclusiveLock",
            Self::Exclusive => "ExclusiveLock",
            Self::AccessExclusive => "AccessExclusiveLock",
        }
    }

    /// What waits behind it, in plain words.
    #[must_use]
    pub fn blocks(self) -> &'static str {
        match self {
            Self::AccessShare | Self::RowShare | Self::RowExclusive => "nothing but other schema changes",
            Self::ShareUpdateExclusive => "no reads and no writes",
            Self::Share | Self::ShareRowExclusive | Self::Exclusive => "writes",
            Self::AccessExclusive => "reads and writes",
        }
    }
}

/// Whether an operation may run in a transaction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum TransactionNeed {
    /// It may.
    #[default]
    Inside,
    /// PostgreSQL refuses it in a transaction block: SQLSTATE 25001.
    Outside,
    /// It may, but what it adds can't be used before the commit: a new enum value (SQLSTATE 55P04).
    CommitBeforeUse,
}

/// What an operation does to a running system.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Effects {
    /// Whether locks, rewrites and scans aren't known, as of a statement that the model has no operation for: none is
    /// stated then, which doesn't mean that there is none.
    #[serde(default)]
    pub unknown: bool,
    /// The strongest lock on each table and view that existed before, and on a sequence that it is about. The lock of
    /// readers is left out where a table is merely looked at.
    pub locks: Vec<(QualifiedName, LockMode)>,
    /// The tables that are written anew, row by row.
    pub rewrites: Vec<QualifiedName>,
    /// The tables that are read whole. What a new foreign key references is not: its rows are looked up.
    pub scans: Vec<QualifiedName>,
    /// Whether data is lost that `down` can't bring back.
    pub loses_data: bool,
    /// Whether queries of the release that is still running may fail.
    pub breaks_readers: bool,
    /// Whether it may run in a transaction.
    pub transaction: TransactionNeed,
}

impl Effects {
    /// Of something of which nothing else is known.
    #[must_use]
    pub fn unknown(transaction: TransactionNeed) -> Self {
        Self { unknown: true, transaction, ..Self::default() }
    }

    /// An operation that takes `mode` on `table` and is done at once.
    #[must_use]
    pub fn lock(table: &QualifiedName, mode: LockMode) -> Self {
        Self { locks: vec![(table.clone(), mode)], ..Self::default() }
    }

    /// The same, and `table` takes `mode` too.
    #[must_use]
    pub fn and_lock(mut self, table: &QualifiedName, mode: LockMode) -> Self {
        match self.locks.iter_mut().find(|(locked, _)| locked == table) {
            Some((_, strongest)) => *strongest = mode.max(*strongest),
            None => self.locks.push((table.clone(), mode)),
        }
        self
    }

    /// The same, and what happens to `table` happens to its partitions and to the tables that inherit from it.
    #[must_use]
    pub fn and_descendants(self, schema: &Schema, table: &QualifiedName) -> Self {
        let Some(mode) = self.locks.iter().find(|(locked, _)| locked == table).map(|(_, mode)| *mode) else { return self };
        let (scanned, rewritten) = (self.scans.contains(table), self.rewrites.contains(table));
        schema.descendants(table).iter().fold(self, |effects, below| {
            let effects = effects.and_lock(below, mode);
            let effects = if scanned { effects.and_scan(below) } else { effects };
            if rewritten { effects.and_rewrite(below) } else { effects }
        })
    }

    /// The same, and `table` is read whole.
    #[must_use]
    pub fn and_scan(mut self, table: &QualifiedName) -> Self {
        self.scans.push(table.clone());
        self
    }

    /// The same, and `table` is rewritten.
    #[must_use]
    pub fn and_rewrite(mut self, table: &QualifiedName) -> Self {
        self.rewrites.push(table.clone());
        self
    }
}
