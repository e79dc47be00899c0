//! Changes rows in batches: each is a transaction of its own, and what is written in it says how far it has come.
//!
//! What is open when the migrator dies is rolled back with the cursor in it, or committed with it: no batch is lost, and none
//! is done twice.

use super::backend::Postgres;
use super::batch::{CLOCK, Item};
use super::blockers::watched;
use super::codes::is_without_savepoint;
use super::cursor::{self, LAG, Lag, Next, Questions};
use super::execute::{BACK, RELEASE, SAVEPOINT};
use super::journal::{self, Row};
use crate::engine::{
    Cursor, CursorPlace, Direction, Failure, Patience, Planned, Running, Task, Teller, Work, backfill_of, done, milliseconds,
};
use crate::history::{Outcome, RevisionState};
use crate::migration::BatchFunction;
use crate::{Batch, Error, Tx};
use futures_util::TryStreamExt as _;
use migrate_core::ops::{Backfill, Batched};
use sqlx::{AssertSqlSafe, Either, PgConnection, Row as _};
use std::time::{Duration, Instant};

/// The first and the longest pause before a batch is tried again.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// How long to wait before it is asked again how far a standby lags behind.
const LAG_PAUSE: Duration = Duration::from_secs(1);

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

impl Answers {
    /// How long it was between two looks at the server's clock, the first of them after `settings` rows, and the second the
    /// last row.
    fn took(&self, settings: usize) -> Option<Duration> {
        let clock = |text: Option<&String>| text.and_then(|text| text.parse::<f64>().ok());
        let (before, after) = (clock(self.texts.get(settings))?, clock(self.texts.last())?);
        Duration::try_from_secs_f64(after - before).ok()
    }
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

impl Postgres {
    /// Does a step in batches, from the beginning or from where an earlier run was interrupted.
    pub(super) async fn run_batches(&mut self, work: &mut Work, i: usize) -> Result<(), Failure> {
        let planned = work.steps[i].clone();
        let (mut running, estimate) = self.begin_batches(work, &planned, backfill_of(&planned)?).await?;
        work.durations[i] = self.walk(work, &mut running, estimate).await?;
        self.finish_batches(work, i, &running).await
    }

    /// Fills the rows of a column that phases have added, from the beginning or from where an earlier run was interrupted.
    /// Tells what it has done.
    pub(super) async fn fill(&mut self, work: &mut Work, i: usize, fill: &Backfill) -> Result<String, Failure> {
        let planned = Planned { batched: Some(Batched::of(fill)), ..work.steps[i].clone() };
        let (mut running, estimate) = self.begin_batches(work, &planned, fill).await?;
        self.walk(work, &mut running, estimate).await?;
        Ok(running.cursor.evidence())
    }

    /// Goes on to the last key. Tells how long that took.
    async fn walk(&mut self, work: &mut Work, running: &mut Running<'_>, estimate: Option<u64>) -> Result<Duration, Failure> {
        let (options, planned) = (self.options.clone(), running.planned);
        let teller = Teller::new(&options, work.migration.revision, planned.number, estimate, &running.cursor);
        teller.tell(&running.cursor, &running.pace, None);
        let mut patience = Patience::new(FIRST_PAUSE, LONGEST_PAUSE, options.lock_budget);
        while let Some(end) = running.cursor.end() {
            if let Some(guard) = &mut self.guard {
                guard.keep().await;
            }
            let began = Instant::now();
            let attempt = match self.lagging(work, planned).await {
                Ok(Some(reason)) => {
                    teller.delayed(reason, LAG_PAUSE);
                    tokio::time::sleep(LAG_PAUSE).await;
                    patience.excuse(began.elapsed());
                    continue;
                }
                Ok(None) => self.one_batch(work, running, end, &teller).await,
                Err(failure) => Err(failure),
            };
            let Err(failure) = attempt else {
                teller.tell(&running.cursor, &running.pace, Some(began.elapsed()));
                patience.restore();
                continue;
            };
            let Failure::Transient { message, .. } = &failure else { return Err(running.interrupted(failure)) };
            let Some(pause) = patience.pause(began) else { return Err(running.interrupted(failure)) };
            self.raw("rollback").await?;
            self.in_transaction = false;
            running.pace.halve();
            teller.delayed(message.clone(), pause);
            tokio::time::sleep(pause).await;
        }
        running.cursor.worked_ms = running.before + milliseconds(teller.worked());
        Ok(teller.worked())
    }

    /// Finds the key and the cursor, or writes the first one, with which it is announced.
    async fn begin_batches<'a>(
        &mut self,
        work: &mut Work,
        planned: &'a Planned,
        backfill: &'a Backfill,
    ) -> Result<(Running<'a>, Option<u64>), Failure> {
        let place = CursorPlace::of(work, planned);
        let texts = self.ask(work, planned, vec![cursor::table(backfill)]).await?;
        let Some(table) = texts.first() else {
            return Err(Failure::of_step(planned, format!("table `{}` is not in the database", backfill.table), "bring it back"));
        };
        let table: cursor::Table = parse(table)?;
        let texts = self.ask(work, planned, vec![cursor::read(&place)]).await?;
        let mut found: Option<Cursor> = texts.first().map(|text| parse(text)).transpose()?;
        let walkable = table.walkable(&backfill.sets);
        let forget = cursor::delete(&place);
        let choose =
            |found: Option<&Cursor>| walkable.choose(planned, backfill, found, |key| cursor::accept(&place, &walkable, key), &forget);
        let key = match choose(found.as_ref()) {
            // what is filled is left alone: it can begin anew
            Err(_) if planned.lowered.is_some() && found.take().is_some() => choose(None)?,
            key => key?,
        };
        let is_new = found.is_none();
        let mut cursor = if let Some(cursor) = found {
            cursor
        } else {
            let texts = self.ask(work, planned, vec![Questions { backfill, key: &key }.end()]).await?;
            let upto = texts.first().map(|text| parse(text)).transpose()?;
            Cursor::new(&walkable, &key, upto, backfill.batch)
        };
        cursor.runs += 1;
        self.announce(work, planned, &place, &cursor, is_new).await?;
        Ok((Running::new(planned, backfill, backfill.table.quoted(), key, place, cursor, &self.options), table.estimate))
    }

    /// Writes down that it begins, or goes on, and what needed no run before it.
    async fn announce(
        &mut self,
        work: &mut Work,
        planned: &Planned,
        place: &CursorPlace,
        cursor: &Cursor,
        is_new: bool,
    ) -> Result<(), Failure> {
        let revision = work.migration.revision;
        let earlier: Vec<_> = work.outcomes().filter(|(other, ..)| other.number < planned.number).collect();
        let mut rows: Vec<_> = earlier
            .iter()
            .map(|(planned, outcome, evidence)| Row { planned, outcome: *outcome, evidence, sqlstate: None, sql: "" })
            .collect();
        let sql = planned.sql.join(";\n");
        // what is done in phases is announced before them
        if is_new && planned.lowered.is_none() {
            rows.push(Row { planned, outcome: Outcome::Started, evidence: "", sqlstate: None, sql: &sql });
        }
        let mut statements = vec!["begin".to_owned(), format!("select {}", self.at_work())];
        if !rows.is_empty() {
            statements.push(journal::record(self.run_id, revision, work.direction, &rows));
        }
        if work.direction != Direction::Replay {
            statements.push(journal::record_revision(self.run_id, work.migration, RevisionState::Started));
        }
        if is_new {
            statements.extend([cursor::delete(place), cursor::create(place, self.run_id, cursor)]);
        } else {
            statements.push(cursor::update(place, self.run_id, cursor));
        }
        statements.push("commit".to_owned());
        drop(rows);
        send(&mut self.connection, &statements).await.map_err(|error| Self::own_failure(Item::Journal, error))?;
        for step in work.steps.iter_mut().filter(|step| step.number < planned.number) {
            step.journalled = true;
        }
        Ok(())
    }

    /// The standby that has to be waited for, if one lags too far behind.
    async fn lagging(&mut self, work: &Work, planned: &Planned) -> Result<Option<String>, Failure> {
        let texts = self.ask(work, planned, vec![LAG.to_owned()]).await?;
        let lag: Option<Lag> = texts.first().map(|text| parse(text)).transpose()?;
        Ok(lag.and_then(|lag| lag.beyond(self.options.replication_lag)))
    }

    /// Does the next batch.
    async fn one_batch(
        &mut self,
        work: &mut Work,
        running: &mut Running<'_>,
        end: Vec<String>,
        teller: &Teller<'_>,
    ) -> Result<(), Failure> {
        let questions = Questions { backfill: running.backfill, key: &running.key };
        let asked = vec![questions.next(running.cursor.after.as_deref(), &end, running.pace.size())];
        let texts = self.ask(work, running.planned, asked).await?;
        let Next { rows, last } = parse(texts.first().map_or("", String::as_str))?;
        let batch = running.batch(running.cursor.after.clone(), end, rows, last)?;
        let (changed, took) = match running.task(work.migration, &batch)? {
            Task::Statement(statement) => self.change(work, running.planned, statement).await?,
            Task::Function(function) => self.call_for_batch(work, running.planned, function, &batch).await?,
        };
        let (cursor, pace) = running.passed(running.cursor.clone(), batch, changed, took, teller);
        self.commit_batch(work, running, &cursor).await?;
        (running.cursor, running.pace) = (cursor, pace);
        Ok(())
    }

    /// Opens a transaction and changes the rows of a batch in it. Tells how many, and how long that took by the server's clock:
    /// a long way there is no reason for small batches.
    async fn change(&mut self, work: &mut Work, planned: &Planned, statement: String) -> Result<(u64, Duration), Failure> {
        let [begin, settings] = self.begin(work);
        let (sent_at, clock) = (Instant::now(), format!("select {CLOCK}"));
        let statements = [begin, settings, clock.clone(), statement, clock];
        let Self { connection, guard, options, .. } = self;
        let (sent, waits) = watched(guard.as_mut(), options, send(connection, &statements)).await;
        self.note_waits(work, waits);
        let answers = sent.map_err(|error| self.failed_batch(planned, error))?;
        // begin, settings and clock are before it
        let changed = answers.touched.get(3).copied().unwrap_or_default();
        Ok((changed, answers.took(1).unwrap_or_else(|| sent_at.elapsed())))
    }

    /// Opens a transaction and calls the function in it. Tells how many rows it has changed, and how long it took.
    async fn call_for_batch(
        &mut self,
        work: &mut Work,
        planned: &Planned,
        call: BatchFunction,
        batch: &Batch,
    ) -> Result<(u64, Duration), Failure> {
        let [begin, settings] = self.begin(work);
        let opened = send(&mut self.connection, &[begin, settings, SAVEPOINT.to_owned()]).await;
        opened.map_err(|error| self.failed_batch(planned, error))?;
        self.count_ours().await.map_err(|error| Self::own_failure(Item::Frame, error))?;
        let Self { connection, guard, options, .. } = self;
        let called_at = Instant::now();
        let (outcome, waits) = watched(guard.as_mut(), options, call(&mut Tx::of_postgres(connection), batch)).await;
        self.note_waits(work, waits);
        let took = called_at.elapsed();
        match outcome {
            Ok(changed) => match self.raw(RELEASE).await {
                Err(error) if is_without_savepoint(&error) => Err(Failure::transaction_ended(&planned.place, None)),
                released => Ok(released.map(|()| (changed, took))?),
            },
            Err(error) => {
                if self.raw(BACK).await.is_err_and(|error| is_without_savepoint(&error)) {
                    return Err(Failure::transaction_ended(&planned.place, Some(&error.to_string())));
                }
                Err(match error {
                    Error::Database(error) => self.failed(planned, error),
                    error => Failure::of_step(planned, error.to_string(), "fix what the step says and run `up` again"),
                })
            }
        }
    }

    /// Commits a batch, with how far it has come.
    async fn commit_batch(&mut self, work: &Work, running: &Running<'_>, cursor: &Cursor) -> Result<(), Failure> {
        let mut statements = vec![cursor::update(&running.place, self.run_id, cursor)];
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
        let (outcome, evidence, sql) = done(planned, work.direction)?;
        let row = Row { planned, outcome, evidence: &evidence, sqlstate: None, sql: &sql };
        let statements = [
            "begin".to_owned(),
            format!("select {}", self.at_work()),
            journal::record(self.run_id, work.migration.revision, work.direction, &[row]),
            cursor::delete(&running.place),
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
