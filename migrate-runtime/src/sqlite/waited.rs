//! What the journal keeps of waits for a lock: it goes with the next commit.

use crate::engine::{Direction, Work, milliseconds};
use sqlx::SqliteConnection;
use std::time::Duration;

/// What lasts less is nothing to remember.
const SHORTEST: Duration = Duration::from_millis(150);

/// What a transaction is for: a revision, on the way in this direction.
#[derive(Clone, Copy, Debug)]
pub(super) struct Purpose {
    pub(super) revision: &'static str,
    pub(super) direction: Direction,
}

impl Purpose {
    pub(super) fn of(work: &Work) -> Self {
        Self { revision: work.migration.revision, direction: work.direction }
    }
}

/// What was waited for.
#[derive(Clone, Copy, Debug)]
pub(super) enum Lock {
    /// One connection writes at a time.
    Write,
    /// Without WAL, what is written can't be committed while somebody reads.
    Commit,
}

/// A wait that is over, whether the lock was to be had or not.
#[derive(Debug)]
pub(super) struct Waited {
    pub(super) purpose: Option<Purpose>,
    pub(super) lock: Lock,
    pub(super) lasted: Duration,
    /// Who was seen in the way.
    pub(super) holders: Vec<String>,
}

impl Waited {
    /// Notes it, if it was long enough.
    pub(super) fn note(self, waits: &mut Vec<Self>) {
        if self.lasted >= SHORTEST {
            waits.push(self);
        }
    }

    /// Writes it to the journal.
    pub(super) async fn record(&self, connection: &mut SqliteConnection, run: i64) -> sqlx::Result<()> {
        let lock = match self.lock {
            Lock::Write => "the write lock",
            Lock::Commit => "readers, before the commit",
        };
        sqlx::query("insert into _migrate_waits (run, revision, direction, waited_ms, waited_for, blockers) values (?, ?, ?, ?, ?, ?)")
            .bind(run)
            .bind(self.purpose.map(|purpose| purpose.revision))
            .bind(self.purpose.map(|purpose| purpose.direction.as_str()))
            .bind(i64::try_from(milliseconds(self.lasted)).unwrap_or(i64::MAX))
            .bind(lock)
            .bind(self.holders.join("\n"))
            .execute(connection)
            .await
            .map(drop)
    }
}
