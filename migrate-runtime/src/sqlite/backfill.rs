//! Changes rows in batches, each in a short write transaction with the cursor in it.
//!
//! Between two of them anybody may write, another migrator too: it finds the cursor and does some of the batches. Whoever does
//! the last one writes down that all is done; the others see that the journal has changed.

use super::backend::Sqlite;
use super::cursor;
use super::execute::failure;
use super::transaction::is_transient;
use super::waited::Purpose;
use super::{failed, journal};
use crate::engine::{
    Cursor, CursorPlace, Direction, Failure, Patience, Planned, Running, Task, Teller, Work, backfill_of, done, milliseconds,
};
use crate::history::{Outcome, RevisionState};
use crate::{Batch, Error, Tx};
use migrate_core::ops::Backfill;
use sqlx::AssertSqlSafe;
use std::time::{Duration, Instant};

const FIRST_PAUSE: Duration = Duration::from_millis(20);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// Who waits for a lock looks for it now and then only: between two batches there has to be time for that. A part of what the
/// batch took.
const REST: u32 = 8;
const LONGEST_REST: Duration = Duration::from_millis(150);

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
        let options = self.options.clone();
        let (mut running, estimate) = self.begin_batches(work, &planned, backfill_of(&planned)?).await?;
        let teller = Teller::new(&options, work.migration.revision, planned.number, estimate, &running.cursor);
        teller.tell(&running.cursor, &running.pace, None);
        let mut patience = Patience::new(FIRST_PAUSE, LONGEST_PAUSE, options.lock_budget);
        while running.cursor.end().is_some() {
            let began = Instant::now();
            let attempt = self.one_batch(work, &mut running, &teller).await;
            if attempt.is_err() {
                self.rollback().await?;
            }
            let reason = match attempt.map_err(|failure| running.interrupted(failure))? {
                Attempt::Done => {
                    teller.tell(&running.cursor, &running.pace, Some(began.elapsed()));
                    patience.restore();
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
            let Some(pause) = patience.pause(began) else {
                let (place, sql) = (planned.place.clone(), "begin immediate".to_owned());
                let sqlstate = super::codes::Code(super::codes::BUSY).describe();
                let message = format!("the database is locked: {reason}");
                return Err(running.interrupted(Failure::Transient { place, sql, message, sqlstate }));
            };
            teller.delayed(reason, pause);
            tokio::time::sleep(pause).await;
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
        let place = CursorPlace::of(work, planned);
        let (run, migration) = (self.run_id, work.migration);
        self.journal(work, planned.number).await?;
        let connection = self.connection()?;
        let walkable = cursor::walkable(connection, backfill).await.map_err(|error| failed("looking for a key", error))?;
        let found = cursor::read(&place, connection).await?;
        let key = walkable.choose(planned, backfill, found.as_ref(), |key| cursor::accept(&place, key), &cursor::forget(&place))?;
        let cursor = if let Some(mut cursor) = found {
            cursor.runs += 1;
            cursor::write(&place, connection, run, &cursor).await.map_err(|error| failed("writing the journal", error))?;
            cursor
        } else {
            let upto = cursor::end(connection, backfill, &key).await.map_err(|error| failure(planned, error))?;
            let cursor = Cursor { runs: 1, ..Cursor::new(&walkable, &key, upto, backfill.batch) };
            cursor::write(&place, connection, run, &cursor).await.map_err(|error| failed("writing the journal", error))?;
            let sql = planned.sql.join(";\n");
            let row = journal::Row::of(planned, Outcome::Started, "", &sql);
            let done = journal::record(connection, run, migration.revision, work.direction, &row).await;
            done.map_err(|error| failed("writing the journal", error))?;
            cursor
        };
        if work.direction != Direction::Replay {
            let started = journal::record_revision(connection, run, migration, RevisionState::Started).await;
            started.map_err(|error| failed("writing the journal", error))?;
        }
        let estimate = cursor::estimate(connection, backfill).await;
        self.commit_checked(work, planned.place.clone()).await?;
        let table = migrate_core::name::quote_identifier(backfill.table.name.as_str());
        Ok((Running::new(planned, backfill, table, key, place, cursor, &self.options), estimate))
    }

    async fn one_batch(&mut self, work: &Work, running: &mut Running<'_>, teller: &Teller<'_>) -> Result<Attempt, Failure> {
        let began = Instant::now();
        if !self.begin(work.lock_timeout, false, Some(Purpose::of(work))).await? {
            return Ok(Attempt::Locked(self.writer()));
        }
        self.same_mark().await?;
        let connection = self.connection()?;
        // somebody else may have done some of them meanwhile
        let Some(mut cursor) = cursor::read(&running.place, connection).await? else { return Err(Failure::Overtaken) };
        (cursor.runs, cursor.worked_ms) = (cursor.runs.max(running.cursor.runs), cursor.worked_ms.max(running.cursor.worked_ms));
        let Some(end) = cursor.end() else {
            running.cursor = cursor;
            self.rollback().await?;
            return Ok(Attempt::Done);
        };
        let size = running.pace.size();
        let next = cursor::next(connection, running.backfill, &running.key, cursor.after.as_deref(), &end, size).await;
        let (rows, last) = next.map_err(|error| failure(running.planned, error))?;
        let batch = running.batch(cursor.after.clone(), end, rows, last)?;
        let changed = match self.change(work, running, &batch).await {
            Ok(changed) => changed,
            Err(Failure::Transient { message, .. }) => return Ok(Attempt::Blocked(message)),
            Err(failure) => return Err(failure),
        };
        let (cursor, pace) = running.passed(cursor, batch, changed, began.elapsed(), teller);
        let run = self.run_id;
        let written = cursor::write(&running.place, self.connection()?, run, &cursor).await;
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
        match running.task(work.migration, batch)? {
            Task::Statement(statement) => {
                let done = sqlx::raw_sql(AssertSqlSafe(statement)).execute(self.connection()?).await;
                done.map(|done| done.rows_affected()).map_err(|error| failure(planned, error))
            }
            Task::Function(call) => {
                self.raw(super::execute::SAVEPOINT).await?;
                let outcome = call(&mut Tx::of_sqlite(self.connection()?), batch).await;
                self.called(planned, outcome).await
            }
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
        let (outcome, evidence, sql) = done(planned, work.direction)?;
        let row = journal::Row::of(planned, outcome, &evidence, &sql).timed(Some(work.durations[i]));
        let done = journal::record(self.connection()?, run, work.migration.revision, work.direction, &row).await;
        done.map_err(|error| failed("writing the journal", error))?;
        cursor::delete(&running.place, self.connection()?).await.map_err(|error| failed("writing the journal", error))?;
        self.commit().await.map_err(|error| failure(planned, error))?;
        work.steps[i].journalled = true;
        Ok(())
    }
}
