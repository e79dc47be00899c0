//! What the batches of every kind of database have in common: the key that they go by, what each of them is, and how long it is
//! waited for what is in the way.

use super::backfill::{Cursor, Key, Pace, Teller};
use super::planner::Planned;
use super::work::{Direction, Failure, Work};
use super::{Options, milliseconds};
use crate::history::Outcome;
use crate::migration::{BatchFunction, Migration};
use crate::{Batch, Error};
use migrate_core::operation::Operation;
use migrate_core::ops::{Backfill, BatchWork};
use migrate_core::step::Action;
use std::time::{Duration, Instant};

/// Which change in batches it is, in the journal.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CursorPlace {
    pub(crate) revision: &'static str,
    pub(crate) direction: &'static str,
    pub(crate) number: usize,
}

impl CursorPlace {
    /// What was skipped before is done under the same name.
    pub(crate) fn of(work: &Work, planned: &Planned) -> Self {
        let direction = if work.direction == Direction::Down { Direction::Down } else { Direction::Up };
        Self { revision: work.migration.revision, direction: direction.as_str(), number: planned.number }
    }
}

/// A table as it is when a change in batches begins, or goes on.
#[derive(Debug)]
pub(crate) struct Walkable {
    /// What makes it the same table: its oid. SQLite has nothing of that kind.
    pub(crate) identity: String,
    /// The keys by which all of its rows can be walked along, without those that the change itself sets.
    pub(crate) keys: Vec<Key>,
}

impl Walkable {
    /// The key that the batches go by: the one that they began with, as it was then, or the first. Where a cursor doesn't fit
    /// the table, a person can run what `accept` gives, which has it go on in the table as it is, or `forget`, which has it
    /// begin anew.
    pub(crate) fn choose(
        &self,
        planned: &Planned,
        backfill: &Backfill,
        found: Option<&Cursor>,
        accept: impl FnOnce(&Key) -> String,
        forget: &str,
    ) -> Result<Key, Failure> {
        let table = &backfill.table;
        let Some(cursor) = found else {
            let first = self.keys.first().cloned();
            return first.ok_or_else(|| {
                let message = format!("table `{table}` has no key to walk along in batches");
                let help = "add a primary key, or a unique index, on columns that are `not null` and not generated, and run `up` again";
                Failure::of_step(planned, message, help)
            });
        };
        let names = cursor.key.join(", ");
        let Some(key) = self.keys.iter().find(|key| key.names() == cursor.key) else {
            let message = format!("the batches go by the key ({names}) of `{table}`, which is no key of it any more; {}", cursor.held());
            let help = format!(
                "create a unique index on these columns again, and run `up` again; or run `{forget}`, and it begins anew with another key: \
                 rows that are changed already are changed once more"
            );
            return Err(Failure::of_step(planned, message, &help));
        };
        let problem = if !cursor.identity.is_empty() && cursor.identity != self.identity {
            let (was, is) = (&cursor.identity, &self.identity);
            format!("table `{table}` is another one (oid {is}) than the one that the batches began with (oid {was})")
        } else if !cursor.order.is_empty() && cursor.order != key.order() {
            let (was, is) = (cursor.order.join(", "), key.order().join(", "));
            format!(
                "the key ({names}) of `{table}`, which the batches go by, is sorted as {is} now, and was sorted as {was} when they began"
            )
        } else {
            return Ok(key.clone());
        };
        let accept = accept(key);
        let help = format!(
            "if its rows are the same ones, in the same order, as after a dump and restore, run `{accept}`, and the next run goes on behind \
             what is done; if not, run `{forget}`, and it begins anew: rows that are changed already are changed once more"
        );
        Err(Failure::of_step(planned, format!("{problem}; {}", cursor.held()), &help))
    }
}

/// What is done to the rows of a batch.
pub(crate) enum Task {
    Statement(String),
    Function(BatchFunction),
}

/// A change in batches that is at work.
#[derive(Debug)]
pub(crate) struct Running<'a> {
    pub(crate) planned: &'a Planned,
    pub(crate) backfill: &'a Backfill,
    /// The table as SQL names it.
    pub(crate) table: String,
    pub(crate) key: Key,
    pub(crate) place: CursorPlace,
    pub(crate) cursor: Cursor,
    pub(crate) pace: Pace,
    /// How long earlier runs have worked.
    pub(crate) before: u64,
}

/// The change in batches that a step is.
pub(crate) fn backfill_of(planned: &Planned) -> Result<&Backfill, Error> {
    match &planned.step.action {
        Action::Change(Operation::Backfill(backfill)) => Ok(backfill),
        _ => Err(malformed(format!("`{}` is no change in batches", planned.place.operation))),
    }
}

fn malformed(reason: String) -> Error {
    Error::Format { doing: "changing rows in batches", reason }
}

impl<'a> Running<'a> {
    pub(crate) fn new(
        planned: &'a Planned,
        backfill: &'a Backfill,
        table: String,
        key: Key,
        place: CursorPlace,
        cursor: Cursor,
        options: &Options,
    ) -> Self {
        let before = cursor.worked_ms;
        Self { pace: Pace::new(cursor.size, options.batch_target), planned, backfill, table, key, place, cursor, before }
    }

    /// Goes on behind what the cursor says, in batches of which this many rows are left, and the key of the last one of them.
    pub(crate) fn batch(&self, after: Option<Vec<String>>, end: Vec<String>, rows: u64, last: Option<Vec<String>>) -> Result<Batch, Error> {
        // the last one has all that is left, whatever has come meanwhile
        let upto = last.filter(|_| self.is_full(rows)).unwrap_or(end);
        if after.as_ref() == Some(&upto) {
            // it would go on for ever
            let key = upto.join(", ");
            return Err(malformed(format!("the key ({key}) of `{}` is read back as another one", self.backfill.table)));
        }
        Ok(Batch { table: self.table.clone(), called: self.backfill.called(), key: self.key.clone(), after, upto, rows })
    }

    fn is_full(&self, rows: u64) -> bool {
        rows >= u64::from(self.pace.size())
    }

    /// What is to be done to its rows.
    pub(crate) fn task(&self, migration: &Migration, batch: &Batch) -> Result<Task, Error> {
        match &self.backfill.work {
            BatchWork::Statement { .. } => {
                let statement = self.planned.batched.as_ref().and_then(|batched| batched.for_rows(&batch.condition()));
                statement.map(Task::Statement).ok_or_else(|| malformed(format!("`{}` has no statement", self.planned.place.operation)))
            }
            BatchWork::Function { function } => {
                let called = migration.batch_function(function).map(Task::Function);
                called.ok_or_else(|| malformed(format!("the migration has no function `{function}`")))
            }
        }
    }

    /// The cursor and the pace once the batch is committed, of which this many rows were changed in that time.
    pub(crate) fn passed(&self, mut cursor: Cursor, batch: Batch, changed: u64, took: Duration, teller: &Teller<'_>) -> (Cursor, Pace) {
        let mut pace = self.pace.clone();
        if self.is_full(batch.rows) {
            pace.took(took);
        }
        cursor.pass(batch.upto, batch.rows, changed);
        cursor.size = pace.size();
        cursor.worked_ms = self.before + milliseconds(teller.worked());
        (cursor, pace)
    }

    /// The failure, with what holds all the same.
    pub(crate) fn interrupted(&self, mut failure: Failure) -> Failure {
        match &mut failure {
            Failure::Operation { message, .. } | Failure::Transient { message, .. } => {
                *message = format!("{message}; {}", self.cursor.held());
            }
            Failure::TransactionEnded { message, .. } => {
                let held = self.cursor.held();
                *message = format!("{message}; what it committed is not counted: the batch is done again; {held}");
            }
            _ => {}
        }
        failure
    }
}

/// What the journal is to say of a change in batches that is done: its outcome, the evidence, and the SQL.
pub(crate) fn done(planned: &Planned, direction: Direction) -> Result<(Outcome, String, String), Error> {
    let outcome = planned.outcome(direction);
    let (outcome, evidence) = outcome.ok_or_else(|| malformed(format!("`{}` was not to be run", planned.place.operation)))?;
    Ok((outcome, evidence, planned.sql.join(";\n")))
}

/// How long it is waited for what is in the way of a batch.
#[derive(Debug)]
pub(crate) struct Patience {
    first: Duration,
    longest: Duration,
    budget: Duration,
    /// Since when, and the next pause.
    waiting: Option<(Instant, Duration)>,
}

impl Patience {
    /// Pauses double from the first to the longest, for as long as the budget lasts.
    pub(crate) fn new(first: Duration, longest: Duration, budget: Duration) -> Self {
        Self { first, longest, budget, waiting: None }
    }

    /// Nothing is in the way any more.
    pub(crate) fn restore(&mut self) {
        self.waiting = None;
    }

    /// That long it was waited for something else, which doesn't count.
    #[cfg_attr(not(feature = "postgres"), expect(dead_code, reason = "SQLite has no standbys"))]
    pub(crate) fn excuse(&mut self, lasted: Duration) {
        if let Some((since, _)) = &mut self.waiting {
            *since += lasted;
        }
    }

    /// How long to pause after an attempt that began then; `None`: it has lasted long enough.
    pub(crate) fn pause(&mut self, began: Instant) -> Option<Duration> {
        let (since, pause) = self.waiting.unwrap_or((began, self.first));
        let left = self.budget.saturating_sub(since.elapsed());
        if left.is_zero() {
            return None;
        }
        self.waiting = Some((since, (pause * 2).min(self.longest)));
        Some(pause.mul_f64(0.5 + fastrand::f64()).min(left))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patience_has_an_end_and_begins_anew() {
        let mut patience = Patience::new(Duration::from_millis(100), Duration::from_millis(300), Duration::from_mins(1));
        let now = Instant::now();
        for longest in [150, 300, 450, 450] {
            let pause = patience.pause(now).unwrap();
            assert!((longest / 3..=longest).contains(&milliseconds(pause)), "{pause:?}");
        }
        let long_ago = now.checked_sub(Duration::from_mins(2)).unwrap();
        assert!(patience.pause(long_ago).is_some(), "the first attempt counts");
        patience.restore();
        assert_eq!(patience.pause(long_ago), None);
        let mut patience = Patience::new(Duration::from_millis(100), Duration::from_millis(300), Duration::from_mins(1));
        let recently = now.checked_sub(Duration::from_secs(55)).unwrap();
        assert!(patience.pause(recently).is_some());
        patience.excuse(Duration::from_mins(10));
        assert!(patience.pause(now).is_some_and(|pause| pause > Duration::ZERO), "a standby was waited for");
    }
}
