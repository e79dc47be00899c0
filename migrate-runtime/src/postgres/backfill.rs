//! Changes rows in batches: each is a transaction of its own, and what is written in it says how far it has come.
//!
//! What is open when the migrator dies is rolled back with the cursor in it, or committed with it: no batch is lost, and none
//! is done twice.

use super::backend::Postgres;
use super::batch::Item;
use super::blockers::watched;
use super::codes::is_without_savepoint;
use super::cursor::{self, LAG, Lag, Next, Place, Questions};
use super::execute::{BACK, RELEASE, SAVEPOINT, step_failure};
use super::journal::{self, Row};
use crate::engine::{Cursor, Direction, Failure, Key, Pace, Planned, Teller, Work, milliseconds};
use crate::history::{Outcome, RevisionState};
use crate::{Batch, Error, Tx};
use futures_util::TryStreamExt as _;
use migrate_core::operation::Operation;
use migrate_core::ops::{Backfill, BatchWork};
use migrate_core::step::Action;
use sqlx::{AssertSqlSafe, Either, PgConnection, Row as _};
use std::time::{Duration, Instant};

/// The first and the longest pause before a batch is tried again.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// How keys are printed, so that they can be read again whatever the session is set to.
const PRINTED: &str = "select pg_catalog.set_config('datestyle', 'ISO, MDY', true), pg_catalog.set_config('intervalstyle', 'postgres', true), \
                       pg_catalog.set_config('extra_float_digits', '1', true), pg_catalog.set_config('bytea_output', 'hex', true)";

/// What became of statements that were sent together.
#[derive(Debug, Default)]
struct Answers {
    /// The first column of every row.
    texts: Vec<String>,
    /// How many rows each statement touched.
    touched: Vec<u64>,
}

async fn send(connection: &mut PgConnection, statements: &[String]) -> Result<Answers, sqlx::Error> {
    // a line comment at the end must not swallow the semicolon
    let text = statements.join("\n;\n");
    let mut stream = sqlx::raw_sql(AssertSqlSafe(text)).fetch_many(connection);
    let mut answers = Answers::default();
    while let Some(answer) = stream.try_next().await? {
        match answer {
            Either::Left(done) => answers.touched.push(done.rows_affected()),
            Either::Right(row) => {
                if let Ok(Some(text)) = row.try_get_unchecked::<Option<String>, _>(0) {
                    answers.texts.push(text);
                }
            }
        }
    }
    Ok(answers)
}

fn parse<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, Error> {
    serde_json::from_str(text).map_err(|error| Error::Format { doing: "reading how far a backfill has come", reason: error.to_string() })
}

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

impl Postgres {
    /// Does a step in batches, from the beginning or from where an earlier run was interrupted.
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
            let failure = match self.one_batch(work, &mut running, &teller).await {
                Ok(true) => {
                    teller.tell(&running.cursor, &running.pace, Some(began.elapsed()));
                    waiting = None;
                    continue;
                }
                Ok(false) => continue,
                Err(failure) => failure,
            };
            let (since, pause) = waiting.unwrap_or((began, FIRST_PAUSE));
            let left = options.lock_budget.saturating_sub(since.elapsed());
            let Failure::Transient { message, .. } = &failure else { return Err(running.interrupted(failure)) };
            if left.is_zero() {
                return Err(running.interrupted(failure));
            }
            self.raw("rollback").await?;
            self.in_transaction = false;
            running.pace.halve();
            let jitter = pause.mul_f64(0.5 + fastrand::f64()).min(left);
            teller.delayed(message.clone(), jitter);
            tokio::time::sleep(jitter).await;
            waiting = Some((since, (pause * 2).min(LONGEST_PAUSE)));
        }
        work.durations[i] = teller.worked();
        running.cursor.worked_ms = running.before + milliseconds(teller.worked());
        self.finish_batches(work, i, &running).await
    }

    /// Finds the key and the cursor, or writes the first one, with which it is announced.
    async fn begin_batches<'a>(
        &mut self,
        work: &mut Work,
        planned: &'a Planned,
        backfill: &'a Backfill,
    ) -> Result<(Running<'a>, Option<u64>), Failure> {
        let journalled = Place::new(work.migration.revision, work.direction, planned.number);
        let texts = self.ask(work, planned, vec![cursor::table(backfill)]).await?;
        let Some(table) = texts.first() else {
            return Err(step_failure(planned, format!("table `{}` is not in the database", backfill.table), "bring it back"));
        };
        let table: cursor::Table = parse(table)?;
        let texts = self.ask(work, planned, vec![journalled.read()]).await?;
        let found: Option<Cursor> = texts.first().map(|text| parse(text)).transpose()?;
        let mut keys = table.keys(&backfill.sets);
        let key = match &found {
            Some(cursor) => keys.find(|key| key.names() == cursor.key),
            None => keys.next(),
        };
        let Some(key) = key else { return Err(without_key(planned, backfill, found.as_ref())) };
        let is_new = found.is_none();
        let mut cursor = if let Some(cursor) = found {
            cursor
        } else {
            let texts = self.ask(work, planned, vec![Questions { backfill, key: &key }.end()]).await?;
            let upto = texts.first().map(|text| parse(text)).transpose()?;
            Cursor { key: key.names(), upto, size: backfill.batch, ..Cursor::default() }
        };
        cursor.runs += 1;
        self.announce(work, planned, &journalled, &cursor, is_new).await?;
        let (before, pace) = (cursor.worked_ms, Pace::new(cursor.size, self.options.batch_target));
        Ok((Running { planned, backfill, key, place: journalled, cursor, pace, before }, table.estimate))
    }

    /// Writes down that it begins, or goes on, and what needed no run before it.
    async fn announce(&mut self, work: &mut Work, planned: &Planned, place: &Place, cursor: &Cursor, is_new: bool) -> Result<(), Failure> {
        let revision = work.migration.revision;
        let earlier: Vec<_> = work.outcomes().filter(|(other, ..)| other.number < planned.number).collect();
        let mut rows: Vec<_> = earlier
            .iter()
            .map(|(planned, outcome, evidence)| Row { planned, outcome: *outcome, evidence, sqlstate: None, sql: "" })
            .collect();
        let sql = planned.sql.join(";\n");
        // what was skipped before stays skipped until it is done: that is how it is found again
        let replays = work.direction == Direction::Replay;
        if is_new && !replays {
            rows.push(Row { planned, outcome: Outcome::Started, evidence: "", sqlstate: None, sql: &sql });
        }
        let mut statements = vec!["begin".to_owned(), format!("select {}", self.at_work())];
        if !rows.is_empty() {
            statements.push(journal::record(self.run_id, revision, work.direction, &rows));
        }
        if !replays {
            statements.push(journal::record_revision(self.run_id, work.migration, RevisionState::Started));
        }
        statements.push(if is_new { place.create(self.run_id, cursor) } else { place.update(self.run_id, cursor) });
        statements.push("commit".to_owned());
        drop(rows);
        send(&mut self.connection, &statements).await.map_err(|error| Self::own_failure(Item::Journal, error))?;
        for step in work.steps.iter_mut().filter(|step| step.number < planned.number) {
            step.journalled = true;
        }
        Ok(())
    }

    /// Does the next batch, unless a standby has to be waited for.
    async fn one_batch(&mut self, work: &mut Work, running: &mut Running<'_>, teller: &Teller<'_>) -> Result<bool, Failure> {
        let began = Instant::now();
        let Some(end) = running.cursor.upto.clone() else { return Ok(true) };
        let size = running.pace.size();
        let questions = Questions { backfill: running.backfill, key: &running.key };
        let asked = vec![questions.next(running.cursor.after.as_deref(), &end, size), LAG.to_owned()];
        let texts = self.ask(work, running.planned, asked).await?;
        let next: Next = texts.first().map(|text| parse(text)).transpose()?.unwrap_or(Next { rows: 0, last: None });
        let lag: Option<Lag> = texts.get(1).map(|text| parse(text)).transpose()?;
        if let Some(reason) = lag.and_then(|lag| lag.beyond(self.options.replication_lag)) {
            let pause = Duration::from_secs(1);
            teller.delayed(reason, pause);
            tokio::time::sleep(pause).await;
            return Ok(false);
        }
        // the last one has all that is left, whatever has come meanwhile
        let is_full = next.rows >= u64::from(size);
        let upto = next.last.filter(|_| is_full).unwrap_or(end);
        let batch = Batch {
            table: running.backfill.table.quoted(),
            called: called(running.backfill),
            key: running.key.clone(),
            after: running.cursor.after.clone(),
            upto,
            rows: next.rows,
        };
        let changed = self.change(work, running, &batch).await?;
        let mut cursor = running.cursor.clone();
        cursor.pass(batch.upto, next.rows, changed);
        let mut pace = running.pace.clone();
        if is_full {
            pace.took(began.elapsed());
        }
        cursor.size = pace.size();
        cursor.worked_ms = running.before + milliseconds(teller.worked());
        self.commit_batch(work, running, &cursor).await?;
        (running.cursor, running.pace) = (cursor, pace);
        Ok(true)
    }

    /// Opens a transaction and changes the rows of a batch in it.
    async fn change(&mut self, work: &mut Work, running: &Running<'_>, batch: &Batch) -> Result<u64, Failure> {
        let planned = running.planned;
        let mut statements = self.begin(work).to_vec();
        let key = batch.condition();
        let statement = planned.batched.as_ref().and_then(|batched| batched.for_rows(&key));
        match (statement, running.backfill.function()) {
            (Some(statement), _) => {
                statements.push(statement);
                let Self { connection, guard, options, .. } = self;
                let (sent, waits) = watched(guard.as_mut(), options, send(connection, &statements)).await;
                self.note_waits(work, waits);
                let answers = sent.map_err(|error| self.failed_batch(planned, error))?;
                Ok(answers.touched.last().copied().unwrap_or_default())
            }
            (None, Some(function)) => {
                statements.push(SAVEPOINT.to_owned());
                send(&mut self.connection, &statements).await.map_err(|error| self.failed_batch(planned, error))?;
                self.call_for_batch(work, planned, function, batch).await
            }
            (None, None) => Ok(0),
        }
    }

    async fn call_for_batch(&mut self, work: &mut Work, planned: &Planned, function: &str, batch: &Batch) -> Result<u64, Failure> {
        let call = work
            .migration
            .batch_function(function)
            .ok_or_else(|| Error::Format { doing: "calling a Rust step", reason: format!("the migration has no function `{function}`") })?;
        self.count_ours().await.map_err(|error| Self::own_failure(Item::Frame, error))?;
        let Self { connection, guard, options, .. } = self;
        let (outcome, waits) = watched(guard.as_mut(), options, call(&mut Tx::of_postgres(connection), batch)).await;
        self.note_waits(work, waits);
        match outcome {
            Ok(changed) => match self.raw(RELEASE).await {
                Err(error) if is_without_savepoint(&error) => Err(Failure::transaction_ended(&planned.place, None)),
                released => Ok(released.map(|()| changed)?),
            },
            Err(error) => {
                if self.raw(BACK).await.is_err_and(|error| is_without_savepoint(&error)) {
                    return Err(Failure::transaction_ended(&planned.place, Some(&error.to_string())));
                }
                Err(match error {
                    Error::Database(error) => self.failed(planned, error),
                    error => step_failure(planned, error.to_string(), "fix what the step says and run `up` again"),
                })
            }
        }
    }

    /// Commits a batch, with how far it has come.
    async fn commit_batch(&mut self, work: &Work, running: &Running<'_>, cursor: &Cursor) -> Result<(), Failure> {
        let mut statements = vec![running.place.update(self.run_id, cursor)];
        let pushed = self.measured.len();
        statements.extend(journal::record_measured(self.run_id, &self.measured));
        statements.push("commit".to_owned());
        let Self { connection, guard, options, .. } = self;
        let (sent, waits) = watched(guard.as_mut(), options, send(connection, &statements)).await;
        sent.map_err(|error| self.failed_batch(running.planned, error))?;
        self.measured.drain(..pushed);
        self.note_waits(work, waits);
        Ok(())
    }

    /// Writes down that all of it is done.
    async fn finish_batches(&mut self, work: &mut Work, i: usize, running: &Running<'_>) -> Result<(), Failure> {
        work.steps[i].evidence = running.cursor.evidence();
        let planned = &work.steps[i];
        let (outcome, evidence) = planned.outcome(work.direction).unwrap_or((Outcome::Applied, String::new()));
        let sql = planned.sql.join(";\n");
        let row = Row { planned, outcome, evidence: &evidence, sqlstate: None, sql: &sql };
        let statements = [
            "begin".to_owned(),
            format!("select {}", self.at_work()),
            journal::record(self.run_id, work.migration.revision, work.direction, &[row]),
            running.place.delete(),
            "commit".to_owned(),
        ];
        send(&mut self.connection, &statements).await.map_err(|error| Self::own_failure(Item::Journal, error))?;
        self.note_durations(work, &[i], &work.durations);
        work.steps[i].journalled = true;
        Ok(())
    }

    /// Asks in a transaction that can't write, and that waits for no lock longer than others do.
    async fn ask(&mut self, work: &Work, planned: &Planned, queries: Vec<String>) -> Result<Vec<String>, Failure> {
        let [_, settings] = self.begin(work);
        let mut statements = vec!["begin isolation level read committed read only".to_owned(), settings, PRINTED.to_owned()];
        // each of the settings gives a row
        let settings = statements.len() - 1;
        statements.extend(queries);
        statements.push("commit".to_owned());
        let Self { connection, guard, options, .. } = self;
        let (sent, _) = watched(guard.as_mut(), options, send(connection, &statements)).await;
        let texts = sent.map_err(|error| self.failed_batch(planned, error))?.texts;
        Ok(texts.into_iter().skip(settings).collect())
    }

    /// Why a batch was not done.
    fn failed_batch(&self, planned: &Planned, error: sqlx::Error) -> Failure {
        match Self::guard_is_gone(&error) {
            Some(reason) => Failure::Engine(Error::lost(reason).at(&planned.place)),
            None => self.failed(planned, error),
        }
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
            "add a primary key, or a unique index on columns that are `not null`, and run `up` again",
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
