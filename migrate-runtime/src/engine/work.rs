//! A piece of work for a database: planned operations, and what became of them.

use super::lost::Lost;
use super::lowering::Lowered;
use super::planner::{Decision, Planned};
use crate::Migration;
use crate::error::{Error, Place};
use crate::history::Outcome;
use migrate_core::operation::Operation;
use migrate_core::ops::Opaque;
use migrate_core::step::Action;
use std::time::Duration;

/// Which way a migration goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    /// Forward.
    Up,
    /// Operations that an earlier `up` skipped.
    Replay,
    /// Back.
    Down,
}

impl Direction {
    /// As the journal and the events spell it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Replay => "replay",
            Self::Down => "down",
        }
    }
}

/// Operations of one migration that belong together.
#[derive(Debug)]
pub(crate) struct Work {
    /// The migration.
    pub(crate) migration: &'static Migration,
    /// Which way.
    pub(crate) direction: Direction,
    /// The operations, planned. Execution may change a decision: a table that vanishes in between makes a skip.
    pub(crate) steps: Vec<Planned>,
    /// Whether this is all that is left of the migration: then it is recorded and committed.
    pub(crate) completes: bool,
    /// Whether what is left of the migration after this is going to drop a table or make one anew, as far as can be told.
    #[cfg_attr(not(feature = "sqlite"), expect(dead_code, reason = "PostgreSQL's keys stay on"))]
    pub(crate) drops_later: bool,
    /// How long each operation took, as far as it was run; parallel to `steps`.
    pub(crate) durations: Vec<Duration>,
    /// How long one of its statements waits for a lock.
    pub(crate) lock_timeout: Duration,
}

impl Work {
    /// The outcomes to be journalled, with the reason of each: for all but declarations.
    pub(crate) fn outcomes(&self) -> impl Iterator<Item = (&Planned, Outcome, String)> {
        self.steps.iter().filter(|planned| !planned.journalled).filter_map(|planned| {
            let (outcome, evidence) = planned.outcome(self.direction)?;
            Some((planned, outcome, evidence))
        })
    }
}

/// Whether a statement begins with `drop` and one of these words. With foreign keys on, SQLite deletes the rows of a table that
/// is dropped, and what refers to them.
fn drops(sql: &str, kinds: &[&str]) -> bool {
    let mut words = sql.split_ascii_whitespace();
    words.next().is_some_and(|word| word.eq_ignore_ascii_case("drop"))
        && words.next().is_some_and(|word| kinds.iter().any(|kind| word.eq_ignore_ascii_case(kind)))
}

/// Whether one of the statements drops a table.
pub(crate) fn drops_a_table(sql: &[String]) -> bool {
    sql.iter().any(|sql| drops(sql, &["table"]))
}

/// Whether one of the statements drops a table or a view, perhaps to make it anew, with what was known to be on it.
pub(crate) fn drops_a_relation(sql: &[String]) -> bool {
    sql.iter().any(|sql| drops(sql, &["table", "view"]))
}

#[cfg_attr(not(feature = "sqlite"), expect(dead_code, reason = "PostgreSQL makes nothing anew"))]
impl Planned {
    /// Whether it drops a table, perhaps to make it anew.
    pub(crate) fn drops_a_table(&self) -> bool {
        drops_a_table(&self.sql)
    }

    /// Whether it makes a table or a view anew, with the triggers on it.
    pub(crate) fn makes_anew(&self) -> bool {
        let creates = |sql: &String| sql.get(..7).is_some_and(|word| word.eq_ignore_ascii_case("create "));
        drops_a_relation(&self.sql) && self.sql.iter().any(creates)
    }

    /// Whether tables and columns may have other names once it has been run.
    pub(crate) fn may_rename(&self) -> bool {
        match &self.step.action {
            Action::Change(Operation::RenameTable(_) | Operation::RenameColumn(_)) | Action::Run { .. } => true,
            Action::Change(Operation::Opaque(opaque)) => !changes_rows_only(opaque, self.step.dialect.is_some()),
            Action::Change(_) | Action::Declare { .. } | Action::Assert { .. } => false,
        }
    }
}

/// Whether a statement leaves the schema alone. `native`: it is as somebody wrote it, and may be several.
pub(crate) fn changes_rows_only(opaque: &Opaque, native: bool) -> bool {
    let sql = opaque.sql.sql().trim_end();
    let several = native && sql.strip_suffix(';').unwrap_or(sql).contains(';');
    let first = opaque.kind.split(' ').next().unwrap_or_default();
    !several && matches!(first, "insert" | "update" | "delete" | "truncate" | "replace" | "select" | "values" | "with")
}

impl Planned {
    /// What was found, as the journal spells it; `None` where nothing was compared.
    pub(crate) fn verdict(&self) -> Option<&'static str> {
        match &self.decision {
            Decision::Run if self.removes => Some("after"),
            Decision::Run => (!self.changes.is_empty()).then_some("before"),
            Decision::Satisfied => Some("after"),
            Decision::Skipped(_) | Decision::Missing(_) => Some("absent"),
            Decision::Conflict(_) => Some("conflict"),
            Decision::Declared | Decision::Done | Decision::OtherDialect | Decision::Unsupported(_) => None,
        }
    }

    /// What there is to journal once the step has been executed; `None`: nothing.
    pub(crate) fn outcome(&self, direction: Direction) -> Option<(Outcome, String)> {
        let done = if direction == Direction::Down { Outcome::Reverted } else { Outcome::Applied };
        match &self.decision {
            Decision::Run if self.removes && !self.begun && direction != Direction::Down => {
                Some((Outcome::Satisfied, self.evidence.clone()))
            }
            Decision::Run => {
                let evidence = self.lowered.as_ref().map_or_else(|| self.evidence.clone(), Lowered::evidence);
                Some((done, evidence))
            }
            Decision::Satisfied if self.begun && direction != Direction::Down => {
                Some((Outcome::Applied, "an attempt that did not end had begun it, and it is there, with this definition".to_owned()))
            }
            Decision::Satisfied => {
                let outcome = if direction == Direction::Down { Outcome::Reverted } else { Outcome::Satisfied };
                Some((outcome, "the database has it already, with this definition".to_owned()))
            }
            Decision::Skipped(key) if direction == Direction::Down => Some((Outcome::Reverted, format!("{key} is absent"))),
            Decision::Skipped(key) => Some((Outcome::Skipped, format!("{key} is absent"))),
            Decision::Declared
            | Decision::Done
            | Decision::OtherDialect
            | Decision::Missing(_)
            | Decision::Conflict(_)
            | Decision::Unsupported(_) => None,
        }
    }
}

/// Why a piece of work was not done. The transaction is still open, or gone with the connection.
#[derive(Debug)]
pub(crate) enum Failure {
    /// A lock wasn't free in time, or the server chose us to end a deadlock: trying again may help.
    Transient {
        /// The step, as an index of the work's steps.
        place: Place,
        /// The statement.
        sql: String,
        /// What the server said.
        message: String,
        /// Its code.
        sqlstate: String,
    },
    /// An operation failed for good.
    Operation {
        /// Which one.
        place: Place,
        /// The statement.
        sql: String,
        /// What is wrong.
        message: String,
        /// The server's code, if it was the server that said no.
        sqlstate: Option<String>,
        /// What to do.
        help: String,
    },
    /// A phase of an operation failed, and what the phases before it have done stays.
    #[cfg_attr(not(feature = "postgres"), expect(dead_code, reason = "SQLite has no phases"))]
    Unfinished {
        /// Which operation.
        place: Place,
        /// The statements of the phase.
        sql: String,
        /// What is wrong.
        message: String,
        /// The server's code, if it was the server that said no.
        sqlstate: Option<String>,
        /// What is true in the database now.
        now: String,
        /// What to do.
        help: String,
    },
    /// What an operation works on isn't there, or is otherwise than it should be: it was not run.
    Drift {
        /// Which one.
        place: Place,
        /// The statement.
        sql: String,
        /// What was found: `absent` or `conflict`.
        verdict: &'static str,
        /// The difference.
        message: String,
        /// What to do.
        help: String,
    },
    /// A Rust step has ended the transaction that it was to be part of.
    TransactionEnded {
        /// The step.
        place: Place,
        /// What it did, and what it said if it failed after that.
        message: String,
    },
    /// The connection broke while the migration was at work.
    Lost(Box<Lost>),
    /// Somebody has changed what the plan rests on. Nothing was done; the history has to be read again.
    #[cfg_attr(not(feature = "sqlite"), expect(dead_code, reason = "PostgreSQL has a lock that holds from plan to commit"))]
    Overtaken,
    /// Something of our own failed.
    Engine(Error),
}

/// What to do about a lock that isn't given back.
pub(crate) const LOCK_HELP: &str = "wait until the session that holds the lock has ended its transaction, or end it (`select pg_terminate_backend(pid)`), then run `up` again";

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Engine(error)
    }
}

/// What the journal keeps of a failure.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Told<'a> {
    pub(crate) place: &'a Place,
    pub(crate) message: &'a str,
    /// What was found, where that is why.
    pub(crate) verdict: Option<&'static str>,
    /// The server's code.
    pub(crate) code: Option<&'a str>,
    /// The statement.
    pub(crate) sql: &'a str,
}

impl Failure {
    /// The step can't be done, for a reason that isn't the server's.
    pub(crate) fn of_step(planned: &Planned, message: impl Into<String>, help: &str) -> Self {
        let (place, sql) = (planned.place.clone(), planned.sql.join(";\n"));
        Self::Operation { place, sql, message: message.into(), sqlstate: None, help: help.to_owned() }
    }

    /// The step of this place has ended the transaction, and then failed, if it did.
    pub(crate) fn transaction_ended(place: &Place, failed: Option<&str>) -> Self {
        let failed = failed.map(|failed| format!(", and then failed: {failed}")).unwrap_or_default();
        Self::TransactionEnded { place: place.clone(), message: format!("has ended the migration's transaction{failed}") }
    }

    /// What the journal keeps of it; `None` of what is no step's.
    pub(crate) fn told(&self) -> Option<Told<'_>> {
        let verdict = if let Self::Drift { verdict, .. } = self { Some(*verdict) } else { None };
        let (place, message, code, sql) = match self {
            Self::Operation { place, message, sqlstate, sql, .. } | Self::Unfinished { place, message, sqlstate, sql, .. } => {
                (place, message, sqlstate.as_deref(), sql.as_str())
            }
            Self::Transient { place, message, sqlstate, sql } => (place, message, Some(sqlstate.as_str()), sql.as_str()),
            Self::Drift { place, message, sql, .. } => (place, message, None, sql.as_str()),
            Self::TransactionEnded { place, message } => (place, message, None, ""),
            Self::Lost(lost) => (lost.during.as_deref()?, &lost.reason, None, ""),
            Self::Overtaken | Self::Engine(_) => return None,
        };
        Some(Told { place, message, verdict, code, sql })
    }

    /// As the error that a person sees. `committed`: earlier segments of the migration hold. `journalled`: the failure is in
    /// the journal.
    pub(crate) fn into_error(self, committed: bool, journalled: bool) -> Error {
        let now = match (committed, journalled) {
            (true, _) => "what the migration had committed before it is done and recorded; the rest was rolled back",
            (false, true) => "the migration was rolled back whole; the database is as it was before it, and the failure is in the journal",
            (false, false) => "the migration was rolled back whole; the database is as it was before it",
        };
        match self {
            Self::Engine(error) => error,
            Self::Lost(lost) => lost.error(None),
            Self::TransactionEnded { place, message } => Error::TransactionEnded { place: Box::new(place), message },
            Self::Overtaken => Error::Locked { holder: "it has just changed the history".to_owned(), waited: Duration::ZERO },
            Self::Transient { place, sql, message, sqlstate } => Error::Operation {
                place: Box::new(place),
                sql,
                help: if sqlstate.starts_with("SQLITE") {
                    "wait for the program that has the database locked, or end it, then run `up` again".to_owned()
                } else {
                    LOCK_HELP.to_owned()
                },
                sqlstate: Some(sqlstate),
                message,
                now: now.to_owned(),
            },
            Self::Drift { place, sql, message, help, .. } => {
                Error::Drift { place: Box::new(place), sql, message, now: now.to_owned(), help }
            }
            Self::Unfinished { place, sql, message, sqlstate, now, help } => {
                Error::Operation { place: Box::new(place), sql, sqlstate, message, now, help }
            }
            Self::Operation { place, sql, message, sqlstate, help } => {
                Error::Operation { place: Box::new(place), sql, sqlstate, message, now: now.to_owned(), help }
            }
        }
    }
}
