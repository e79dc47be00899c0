//! Changes rows in batches, each in a short write transaction with the cursor in it.
//!
//! Between two of them anybody may write, another migrator too: it finds the cursor and does some of the batches. Whoever does
//! the last one writes down that all is done; the others see that the journal has changed.

use super::backend::Sqlite;
use super::cursor::{self, Place};
use super::execute::{failure, step_failure};
use super::transaction::is_transient;
use super::waited::Purpose;
use super::{failed, journal};
use crate::engine::{Cursor, Direction, Failure, Key, Pace, Planned, Teller, Work, milliseconds};
use crate::history::{Outcome, RevisionState};
use crate::{Batch, Error, Tx};
use migrate_core::operation::Operation;
use migrate_core::ops::{Backfill, BatchWork};
use migrate_core::step::Action;
use sqlx::AssertSqlSafe;
use std::time::{Duration, Instant};

const FIRST_PAUSE: Duration = Duration::from_millis(20);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// Who waits for a lock looks for it now and then only: between two batches there has to be time for that. A part of what the
/// batch took.
const REST: u32 = 8;
const LONGEST_REST: Duration = Duration::from_millis(150);

/// One that is at work.
struct Running<'a> {
    planned: &'a Planned,
    backfill: &'a Backfill,
    key: Key,
    place: Place,
    cursor: Cursor,
    pace: Pace,
    /// How long earlier runs have worked.
    before: u64,
}

/// What came of an attempt at a batch.
enum Attempt {
    Done,
    /// Somebody else writes: nothing was begun.
    Locked(String),
    /// Somebody else was in the way of what was begun.
    Blocked(String),
}

impl Sqlite {
    /// Does a step in batches, from the beginning or from where an earlier run was interrupted. A transaction is open, and is
    /// committed first.
    pub(super) async fn run_batches(&mut self, work: &mut Work, i: usize) -> Result<(), Failure> {
        let planned = work.steps[i].clone();
        let Action::Change(Operation::Backfill(backfill)) = &planned.step.action else { return Ok(()) };
        let options = self.options.clone();
        let (mut running, estimate) = self.begin_batches(work, &planned, backfill).await?;
        let teller = Teller::new(&options, work.migration.revision, planned.number, estimate, &running.cursor);
        teller.tell(&running.cursor, &running.pace, None);
        let mut waiting: Option<(Instant, Duration)> = None;
        while !running.cursor.is_done() {
            let began = Instant::now();
            let attempt = self.one_batch(work, &mut running, &teller).await;
            if attempt.is_err() {
                self.rollback().await?;
            }
            let reason = match attempt.map_err(|failure| running.interrupted(failure))? {
                Attempt::Done => {
                    teller.tell(&running.cursor, &running.pace, Some(began.elapsed()));
                    waiting = None;
                    tokio::time::sleep((began.elapsed() / REST).min(LONGEST_REST)).await;
                    continue;
                }
                Attempt::Locked(reason) => reason,
                Attempt::Blocked(reason) => {
                    running.pace.halve();
                    reason
                }
            };
            self.rollback().await?;
            let (since, pause) = waiting.unwrap_or((began, FIRST_PAUSE));
            let left = options.lock_budget.saturating_sub(since.elapsed());
            if left.is_zero() {
                let (place, sql) = (planned.place.clone(), "begin immediate".to_owned());
                let sqlstate = super::codes::Code(super::codes::BUSY).describe();
                let message = format!("the database is locked: {reason}");
                return Err(running.interrupted(Failure::Transient { place, sql, message, sqlstate }));
            }
            let jitter = pause.mul_f64(0.5 + fastrand::f64()).min(left);
            teller.delayed(reason, jitter);
            tokio::time::sleep(jitter).await;
            waiting = Some((since, (pause * 2).min(LONGEST_PAUSE)));
        }
        work.durations[i] = teller.worked();
        running.cursor.worked_ms = running.before + milliseconds(teller.worked());
        self.finish_batches(work, i, &running).await
    }

    async fn begin_batches<'a>(
        &mut self,
        work: &mut Work,
        planned: &'a Planned,
        backfill: &'a Backfill,
    ) -> Result<(Running<'a>, Option<u64>), Failure> {
        let journalled = Place::new(work.migration.revision, work.direction, planned.number);
        let (run, migration, batch_target) = (self.run_id, work.migration, self.options.batch_target);
        self.journal(work, planned.number).await?;
        let connection = self.connection()?;
        let keys = cursor::keys(connection, backfill).await.map_err(|error| failed("looking for a key", error))?;
        let found = journalled.read(connection).await?;
        let key = match &found {
            Some(cursor) => keys.into_iter().find(|key| key.names() == cursor.key),
            None => keys.into_iter().next(),
        };
        let Some(key) = key else { return Err(without_key(planned, backfill, found.as_ref())) };
        let cursor = if let Some(mut cursor) = found {
            cursor.runs += 1;
            journalled.write(connection, run, &cursor).await.map_err(|error| failed("writing the journal", error))?;
            cursor
        } else {
            let upto = cursor::end(connection, backfill, &key).await.map_err(|error| failure(planned, error))?;
            let cursor = Cursor { key: key.names(), upto, size: backfill.batch, runs: 1, ..Cursor::default() };
            journalled.write(connection, run, &cursor).await.map_err(|error| failed("writing the journal", error))?;
            // what was skipped before stays skipped until it is done: that is how it is found again
            if work.direction != Direction::Replay {
                let sql = planned.sql.join(";\n");
                let row = journal::Row::of(planned, Outcome::Started, "", &sql);
                let done = journal::record(connection, run, migration.revision, work.direction, &row).await;
                done.map_err(|error| failed("writing the journal", error))?;
            }
            cursor
        };
        if work.direction != Direction::Replay {
            let started = journal::record_revision(connection, run, migration, RevisionState::Started).await;
            started.map_err(|error| failed("writing the journal", error))?;
        }
        let estimate = cursor::estimate(connection, backfill).await;
        self.commit_checked(work, planned.place.clone()).await?;
        let (pace, before) = (Pace::new(cursor.size, batch_target), cursor.worked_ms);
        Ok((Running { planned, backfill, key, place: journalled, cursor, pace, before }, estimate))
    }

    async fn one_batch(&mut self, work: &Work, running: &mut Running<'_>, teller: &Teller<'_>) -> Result<Attempt, Failure> {
        let began = Instant::now();
        if !self.begin(work.lock_timeout, false, Some(Purpose::of(work))).await? {
            return Ok(Attempt::Locked(self.writer()));
        }
        self.same_mark().await?;
        let connection = self.connection()?;
        // somebody else may have done some of them meanwhile
        let Some(mut cursor) = running.place.read(connection).await? else { return Err(Failure::Overtaken) };
        (cursor.runs, cursor.worked_ms) = (cursor.runs.max(running.cursor.runs), cursor.worked_ms.max(running.cursor.worked_ms));
        let Some(end) = cursor.upto.clone().filter(|_| !cursor.is_done()) else {
            running.cursor = cursor;
            self.rollback().await?;
            return Ok(Attempt::Done);
        };
        let size = running.pace.size();
        let next = cursor::next(connection, running.backfill, &running.key, cursor.after.as_deref(), &end, size).await;
        let (rows, last) = next.map_err(|error| failure(running.planned, error))?;
        let is_full = rows >= u64::from(size);
        let batch = Batch {
            table: migrate_core::name::quote_identifier(running.backfill.table.name.as_str()),
            called: called(running.backfill),
            key: running.key.clone(),
            after: cursor.after.clone(),
            upto: last.filter(|_| is_full).unwrap_or(end),
            rows,
        };
        let changed = match self.change(work, running, &batch).await {
            Ok(changed) => changed,
            Err(Failure::Transient { message, .. }) => return Ok(Attempt::Blocked(message)),
            Err(failure) => return Err(failure),
        };
        cursor.pass(batch.upto, rows, changed);
        let mut pace = running.pace.clone();
        if is_full {
            pace.took(began.elapsed());
        }
        cursor.size = pace.size();
        cursor.worked_ms = running.before + milliseconds(teller.worked());
        let run = self.run_id;
        let written = running.place.write(self.connection()?, run, &cursor).await;
        written.map_err(|error| failed("writing the journal", error))?;
        match self.commit().await {
            Ok(()) => {}
            Err(error) if is_transient(&error) => return Ok(Attempt::Blocked(self.reader())),
            Err(error) => return Err(failure(running.planned, error)),
        }
        (running.cursor, running.pace) = (cursor, pace);
        Ok(Attempt::Done)
    }

    /// Somebody else may have done all of it, and more.
    async fn same_mark(&mut self) -> Result<(), Failure> {
        if self.current_mark().await? == self.mark { Ok(()) } else { Err(Failure::Overtaken) }
    }

    async fn change(&mut self, work: &Work, running: &Running<'_>, batch: &Batch) -> Result<u64, Failure> {
        let planned = running.planned;
        let statement = planned.batched.as_ref().and_then(|batched| batched.for_rows(&batch.condition()));
        match (statement, running.backfill.function()) {
            (Some(statement), _) => {
                let done = sqlx::raw_sql(AssertSqlSafe(statement)).execute(self.connection()?).await;
                done.map(|done| done.rows_affected()).map_err(|error| failure(planned, error))
            }
            (None, Some(function)) => {
                let call = work.migration.batch_function(function).ok_or_else(|| Error::Format {
                    doing: "calling a Rust step",
                    reason: format!("the migration has no function `{function}`"),
                })?;
                self.raw(super::execute::SAVEPOINT).await?;
                let outcome = call(&mut Tx::of_sqlite(self.connection()?), batch).await;
                self.called(planned, outcome).await
            }
            (None, None) => Ok(0),
        }
    }

    async fn finish_batches(&mut self, work: &mut Work, i: usize, running: &Running<'_>) -> Result<(), Failure> {
        work.steps[i].evidence = running.cursor.evidence();
        let run = self.run_id;
        if !self.begin(self.options.guard_wait, false, Some(Purpose::of(work))).await? {
            let (holder, waited) = (self.writer(), self.options.guard_wait);
            return Err(Error::Locked { holder, waited }.into());
        }
        self.same_mark().await?;
        let planned = &work.steps[i];
        let (outcome, evidence) = planned.outcome(work.direction).unwrap_or((Outcome::Applied, String::new()));
        let sql = planned.sql.join(";\n");
        let row = journal::Row::of(planned, outcome, &evidence, &sql).timed(Some(work.durations[i]));
        let done = journal::record(self.connection()?, run, work.migration.revision, work.direction, &row).await;
        done.map_err(|error| failed("writing the journal", error))?;
        running.place.delete(self.connection()?).await.map_err(|error| failed("writing the journal", error))?;
        self.commit().await.map_err(|error| failure(planned, error))?;
        work.steps[i].journalled = true;
        Ok(())
    }
}

fn called(backfill: &Backfill) -> String {
    match &backfill.work {
        BatchWork::Statement { called, .. } => called.quoted(),
        BatchWork::Function { .. } => backfill.table.name.quoted(),
    }
}

fn without_key(planned: &Planned, backfill: &Backfill, cursor: Option<&Cursor>) -> Failure {
    let table = &backfill.table;
    match cursor {
        Some(cursor) => step_failure(
            planned,
            format!(
                "the batches go by the key ({}) of `{table}`, which is no key of it any more; {}",
                cursor.key.join(", "),
                cursor.held()
            ),
            "create a unique index on these columns again, and run `up` again",
        ),
        None => step_failure(
            planned,
            format!("table `{table}` has no key to walk along in batches"),
            "give it a primary key that is `not null`, and run `up` again",
        ),
    }
}

impl Running<'_> {
    /// The failure, with what holds all the same.
    fn interrupted(&self, mut failure: Failure) -> Failure {
        if let Failure::Operation { message, .. } | Failure::Transient { message, .. } = &mut failure {
            *message = format!("{message}; {}", self.cursor.held());
        }
        failure
    }
}
