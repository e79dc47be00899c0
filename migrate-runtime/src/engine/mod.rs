//! The engine: what to do with every operation, and doing it.

mod backend;
mod backfill;
mod batches;
mod down;
mod lost;
mod lowering;
mod plan;
mod planner;
mod stamp;
mod status;
mod together;
mod transactions;
mod up;
mod work;

pub(crate) use backend::{Backend, Course, Guarded, Hears, Passed, Rendered, Rules, Together};
pub(crate) use backfill::{Comparison, Cursor, Key, KeyColumn, Teller};
pub(crate) use batches::{CursorPlace, Patience, Running, Task, Walkable, backfill_of, done};
pub(crate) use down::down;
pub(crate) use lowering::Sizes;
#[cfg(feature = "postgres")]
pub(crate) use lowering::{Large, Size};
pub(crate) use plan::plan;
pub(crate) use planner::{Decision, Planned};
pub(crate) use stamp::stamp;
pub(crate) use status::{check, status};
#[cfg(feature = "postgres")]
pub(crate) use transactions::Open;
pub(crate) use up::up;
#[cfg(feature = "postgres")]
pub(crate) use work::LOCK_HELP;
pub(crate) use work::{Direction, Failure, Told, Work};

pub use backfill::BackfillProgress;
pub use down::DownTo;
pub use plan::{Plan, PlannedDisk, PlannedOperation, PlannedPhase, PlannedRevision};
pub use stamp::Stamped;
pub use status::{CheckReport, RevisionStatus, SkippedOperation, Status};
pub use up::{OperationReport, RevisionReport, Summary};

use std::sync::Arc;
use std::time::Duration;

/// What the engine tells while it works.
#[derive(Clone, Debug, serde::Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Event {
    /// Another migrator holds the lock; it is tried again.
    WaitingForLock {
        /// Who holds it.
        holder: String,
    },
    /// An operation waits for a lock. Told at every look.
    Blocked {
        /// The sessions that have it, or wait for it before us; the longest transaction first.
        by: Vec<Blocker>,
    },
    /// An operation waits for a lock of the application; the migration was rolled back and is tried again.
    Retrying {
        /// What failed.
        reason: String,
        /// After how long, in milliseconds.
        pause_ms: u64,
    },
    /// The connection broke; a new one is made, to find out what became of the migration.
    Reconnecting {
        /// What the driver said.
        reason: String,
    },
    /// A migration begins. Told again where it failed among others and is begun anew, alone.
    Revision {
        /// Its revision.
        revision: String,
        /// Its name.
        name: String,
        /// How many operations it has.
        operations: usize,
        /// `up`, `down` or `replay`.
        direction: &'static str,
    },
    /// The server has run an operation. It holds once the transaction is committed.
    Progress {
        /// Its revision.
        revision: String,
        /// Its number in the migration, from 1.
        number: usize,
    },
    /// An operation on a large table goes on with its next phase.
    Phase {
        /// Its revision.
        revision: String,
        /// Its number in the migration, from 1.
        number: usize,
        /// The number of the phase, from 1, among those that are left.
        phase: usize,
        /// How many phases are left.
        phases: usize,
        /// Its statements.
        sql: Vec<String>,
    },
    /// How far the server is with an index that it builds. Told when it has come further since the last look.
    Building(Building),
    /// An index that an interrupted statement has left behind, and nothing uses, is dropped.
    Leftover {
        /// The index.
        index: String,
    },
    /// A phase of an operation waits for a lock of the application; the phases before it hold, and it is tried again.
    RetryingPhase {
        /// What failed.
        reason: String,
        /// After how long, in milliseconds.
        pause_ms: u64,
    },
    /// A change in batches begins, goes on where an earlier run was interrupted, or has done a batch: what is told holds.
    Backfill(BackfillProgress),
    /// A batch has to wait: for a lock, or for a standby that lags behind.
    BatchDelayed {
        /// Its revision.
        revision: String,
        /// Its number in the migration, from 1.
        number: usize,
        /// For what.
        reason: String,
        /// How long until it is tried again, in milliseconds.
        pause_ms: u64,
    },
    /// An operation is accounted for. Those of a transaction hold once it is committed.
    Operation(OperationReport),
    /// A migration is committed and recorded.
    Done(RevisionReport),
}

/// How far the server is with an index.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Building {
    /// The table.
    pub table: String,
    /// The index; `None` where one that isn't built concurrently is not to be seen yet.
    pub index: Option<String>,
    /// What PostgreSQL calls what it does now: `building index: scanning table`, `waiting for writers before build`, ….
    pub phase: String,
    /// How much of that is done.
    pub done: i64,
    /// How much there is to do; 0 where the server doesn't know.
    pub total: i64,
    /// Of what: `blocks` of the table, `rows`, or `sessions` that are waited for.
    pub unit: String,
}

impl Building {
    /// From 0 to 100, as far as the server knows.
    #[must_use]
    pub fn percent(&self) -> Option<i64> {
        (self.total > 0).then(|| (self.done.saturating_mul(100) / self.total).clamp(0, 100))
    }
}

/// A session that an operation waits for.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Blocker {
    /// The process of the server.
    pub pid: i32,
    /// The role; empty where it isn't known.
    pub user: String,
    /// What the application calls itself.
    pub application: String,
    /// The address that it comes from; empty for a local socket.
    pub client: String,
    /// `active`, `idle in transaction`, …; empty where this role may not know.
    pub state: String,
    /// Its statement, or the last one, as far as this role may see it.
    pub query: String,
    /// The age of its transaction in milliseconds.
    pub transaction_ms: Option<i64>,
}

impl std::fmt::Display for Blocker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "pid {}", self.pid)?;
        if !self.user.is_empty() {
            write!(f, " of {}", self.user)?;
        }
        let from = if self.client.is_empty() { String::new() } else { format!("from {}", self.client) };
        let who: Vec<&str> = [self.application.as_str(), &from].into_iter().filter(|text| !text.is_empty()).collect();
        if !who.is_empty() {
            write!(f, " ({})", who.join(", "))?;
        }
        if !self.state.is_empty() {
            write!(f, ", {}", self.state)?;
        }
        if let Some(age) = self.transaction_ms {
            write!(f, ", its transaction is {:.1} s old", Duration::from_millis(u64::try_from(age).unwrap_or_default()).as_secs_f64())?;
        }
        let query: Vec<&str> = self.query.split_whitespace().collect();
        let query = query.join(" ");
        let cut: String = query.chars().take(SHOWN).collect();
        match (query.is_empty(), cut.len() < query.len()) {
            (true, _) => Ok(()),
            (false, false) => write!(f, ": {query}"),
            (false, true) => write!(f, ": {cut}…"),
        }
    }
}

/// How much of a blocker's statement is shown, in characters.
const SHOWN: usize = 200;

/// Hears what the engine tells.
pub type Observer = Arc<dyn Fn(&Event) + Send + Sync>;

/// How the engine behaves.
#[derive(Clone)]
pub struct Options {
    /// How long a statement may wait for a lock before the migration steps back and lets the application pass.
    pub lock_timeout: Duration,
    /// How long to go on trying after that, all attempts together.
    pub lock_budget: Duration,
    /// How long to wait for another migrator.
    pub guard_wait: Duration,
    /// How long to try to connect anew after the connection broke: a server that restarts, or the one that takes over from
    /// it, needs a while.
    pub reconnect_wait: Duration,
    /// From how many bytes on a table is large: what would keep it locked while every row is read or written is done in phases
    /// that let the application go on, and strong locks on others aren't held while it is worked on. `u64::MAX`: none is.
    /// PostgreSQL only.
    pub large_table: u64,
    /// How long a batch of a `backfill` should take. Batches begin with the size that the migration says, and grow or shrink
    /// to that.
    pub batch_target: Duration,
    /// How far a standby may lag behind before the next batch of a `backfill` waits for it, for as long as it takes;
    /// [`Duration::MAX`]: as far as it likes. A role without `pg_monitor` can't see it, and then nobody waits.
    pub replication_lag: Duration,
    /// Who hears what happens.
    pub observer: Option<Observer>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            lock_timeout: Duration::from_millis(500),
            lock_budget: Duration::from_mins(2),
            guard_wait: Duration::from_mins(1),
            reconnect_wait: Duration::from_mins(1),
            large_table: 64 << 20,
            batch_target: Duration::from_millis(500),
            replication_lag: Duration::from_secs(10),
            observer: None,
        }
    }
}

impl std::fmt::Debug for Options {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Options")
            .field("lock_timeout", &self.lock_timeout)
            .field("lock_budget", &self.lock_budget)
            .field("guard_wait", &self.guard_wait)
            .field("reconnect_wait", &self.reconnect_wait)
            .field("large_table", &self.large_table)
            .field("batch_target", &self.batch_target)
            .field("replication_lag", &self.replication_lag)
            .finish_non_exhaustive()
    }
}

/// For reports; what takes longer than the age of the universe is cut off.
pub(crate) fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

impl Options {
    pub(crate) fn tell(&self, event: &Event) {
        tracing::debug!(?event);
        if let Some(observer) = &self.observer {
            observer(event);
        }
    }
}
