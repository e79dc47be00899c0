//! Executes planned steps. SQLite is in this process, so there are no round trips to save: one by one, each in its
//! savepoint, a migration in one transaction.

use super::backend::Sqlite;
use super::codes::{CONSTRAINT_FOREIGNKEY, Code, ERROR};
use super::{failed, journal};
use crate::engine::{Decision, Direction, Failure, Planned, Work};
use crate::error::Place;
use crate::history::{Outcome, RevisionState};
use crate::{Error, Tx};
use migrate_core::step::Action;
use sqlx::{AssertSqlSafe, Row as _, TypeInfo as _, ValueRef as _};
use std::time::Instant;

/// What a rebuild calls the table that stops it.
const GUARD: &str = "__migrate_guard";

pub(super) const SAVEPOINT: &str = "savepoint _migrate_step";
const RELEASE: &str = "release savepoint _migrate_step";
const BACK: &str = "rollback to savepoint _migrate_step; release savepoint _migrate_step";

impl Sqlite {
    /// Executes all of the work. On a failure the transaction is still open; the caller rolls it back.
    pub(super) async fn run(&mut self, work: &mut Work) -> Result<(), Failure> {
        let place = place(work);
        let runs = |planned: &Planned| planned.decision == Decision::Run;
        let drops = work.drops_later || work.steps.iter().any(|planned| runs(planned) && planned.drops_a_table());
        for i in 0..work.steps.len() {
            if !runs(&work.steps[i]) {
                continue;
            }
            self.ensure(work, &place, drops).await?;
            if work.steps[i].batched.is_some() {
                self.run_batches(work, i).await?;
            } else if work.steps[i].is_outside() {
                self.vacuum(work, i).await?;
            } else {
                self.run_step(work, i).await?;
            }
        }
        if work.completes {
            self.ensure(work, &place, drops).await?;
            self.journal(work, usize::MAX).await?;
            self.complete(work, place).await?;
        } else if self.open.is_some() {
            self.journal(work, usize::MAX).await?;
        }
        Ok(())
    }

    /// SQLite refuses `vacuum` in a transaction: what is before it is committed. A crash runs it again, which is harmless.
    async fn vacuum(&mut self, work: &mut Work, i: usize) -> Result<(), Failure> {
        let (run, migration, number) = (self.run_id, work.migration, work.steps[i].number);
        self.journal(work, number).await?;
        let sql = work.steps[i].sql.join(";\n");
        let row = journal::Row::of(&work.steps[i], Outcome::Started, "", &sql);
        let announced = journal::record(self.connection()?, run, migration.revision, work.direction, &row).await;
        announced.map_err(|error| failed("writing the journal", error))?;
        if work.direction != Direction::Replay {
            let started = journal::record_revision(self.connection()?, run, migration, RevisionState::Started).await;
            started.map_err(|error| failed("writing the journal", error))?;
        }
        self.commit_checked(work, work.steps[i].place.clone()).await?;
        self.raw(&format!("pragma busy_timeout = {}", work.lock_timeout.as_millis())).await?;
        let began = Instant::now();
        for sql in work.steps[i].sql.clone() {
            let done = sqlx::raw_sql(AssertSqlSafe(sql)).execute(self.connection()?).await;
            done.map_err(|error| failure(&work.steps[i], error))?;
        }
        work.durations[i] = began.elapsed();
        // it counts as a change of the schema, and is ours
        self.mark.schema_version = self.current_mark().await?.schema_version;
        Ok(())
    }

    async fn run_step(&mut self, work: &mut Work, i: usize) -> Result<(), Failure> {
        if let Some(open) = &mut self.open {
            open.worked = true;
        }
        let keys = if work.steps[i].may_rename() { self.keys_before().await? } else { None };
        if work.steps[i].makes_anew() {
            self.note_triggers().await?;
        }
        self.raw(SAVEPOINT).await?;
        let began = Instant::now();
        match work.steps[i].step.action.clone() {
            Action::Run { function } => self.call(work, i, &function).await?,
            Action::Assert { message, .. } => self.assert(&work.steps[i], message).await?,
            Action::Change(_) | Action::Declare { .. } => {
                for sql in work.steps[i].sql.clone() {
                    let done = sqlx::raw_sql(AssertSqlSafe(sql)).execute(self.connection()?).await;
                    if let Err(error) = done {
                        return self.reconsider(work, i, error).await;
                    }
                }
            }
        }
        work.durations[i] = began.elapsed();
        self.raw(RELEASE).await?;
        match keys {
            Some(keys) => Ok(self.follow_keys(&keys).await?),
            None => Ok(()),
        }
    }

    async fn call(&mut self, work: &Work, i: usize, function: &str) -> Result<(), Failure> {
        let planned = &work.steps[i];
        let call = work
            .migration
            .function(function)
            .ok_or_else(|| Error::Format { doing: "calling a Rust step", reason: format!("the migration has no function `{function}`") })?;
        let outcome = call(&mut Tx::of_sqlite(self.connection()?)).await;
        self.called(planned, outcome).await
    }

    /// What came of a call in a savepoint.
    pub(super) async fn called<T>(&mut self, planned: &Planned, outcome: crate::Result<T>) -> Result<T, Failure> {
        if let Err(Error::Database(error)) = outcome {
            // some errors have SQLite roll back by itself
            return Err(failure(planned, error));
        }
        // the savepoint tells whether the step has left the transaction alone
        let probe = sqlx::raw_sql(AssertSqlSafe(format!("{RELEASE}; {SAVEPOINT}"))).execute(self.connection()?).await;
        match (outcome, probe) {
            (Ok(result), Ok(_)) => Ok(result),
            (Err(error), Ok(_)) => Err(Failure::of_step(planned, error.to_string(), "fix what the step says and run `up` again")),
            (outcome, Err(_)) => Err(Failure::transaction_ended(&planned.place, outcome.err().map(|error| error.to_string()).as_deref())),
        }
    }

    async fn assert(&mut self, planned: &Planned, message: String) -> Result<(), Failure> {
        let rows = sqlx::raw_sql(AssertSqlSafe(planned.sql.join(";\n"))).fetch_all(self.connection()?).await;
        let rows = rows.map_err(|error| failure(planned, error))?;
        if !rows.is_empty() && rows.iter().all(is_true) {
            return Ok(());
        }
        Err(Failure::of_step(planned, message, "make the data what the assertion asks for and run `up` again"))
    }

    /// A statement failed. Decides whether that is a skip, a satisfaction, or a failure.
    async fn reconsider(&mut self, work: &mut Work, i: usize, error: sqlx::Error) -> Result<(), Failure> {
        let planned = &work.steps[i];
        let is_error = matches!(&error, sqlx::Error::Database(error) if Code::of(error.as_ref()).primary() == ERROR);
        let failure = failure(planned, error);
        // the code never says which object is missing or in the way: only a look at the schema does
        if !is_error {
            return Err(failure);
        }
        self.raw(BACK).await?;
        let live = self.snapshot_here().await?;
        match planned.reconsider::<Self>(&live) {
            Some(decision) => {
                work.steps[i].decision = decision;
                Ok(())
            }
            None => Err(failure),
        }
    }

    /// Writes down what became of the steps before that number.
    pub(super) async fn journal(&mut self, work: &mut Work, number: usize) -> Result<(), Failure> {
        let run = self.run_id;
        for (planned, outcome, evidence) in work.outcomes().filter(|(planned, ..)| planned.number < number) {
            let is_run = planned.decision == Decision::Run;
            let sql = if is_run { planned.sql.join(";\n") } else { String::new() };
            let i = work.steps.iter().position(|step| step.number == planned.number).filter(|_| is_run);
            let row = journal::Row::of(planned, outcome, &evidence, &sql).timed(i.map(|i| work.durations[i]));
            let done = journal::record(self.connection()?, run, work.migration.revision, work.direction, &row).await;
            done.map_err(|error| failed("writing the journal", error))?;
        }
        for planned in work.steps.iter_mut().filter(|planned| planned.number < number) {
            planned.journalled = true;
        }
        Ok(())
    }

    /// Records the revision and commits.
    async fn complete(&mut self, work: &Work, place: Place) -> Result<(), Failure> {
        let (run, migration) = (self.run_id, work.migration);
        let recorded = match work.direction {
            Direction::Up => journal::record_revision(self.connection()?, run, migration, RevisionState::Applied).await,
            Direction::Down => journal::forget_revision(self.connection()?, run, migration).await,
            Direction::Replay => Ok(()),
        };
        recorded.map_err(|error| failed("writing the journal", error))?;
        self.commit_checked(work, place).await
    }

    /// Commits, if no row has lost the row that it refers to, and no trigger what it is about.
    pub(super) async fn commit_checked(&mut self, work: &Work, place: Place) -> Result<(), Failure> {
        let last = |wanted: fn(&Planned) -> bool| {
            let step = work.steps.iter().rfind(|planned| planned.decision == Decision::Run && wanted(planned));
            step.map_or_else(|| (place.clone(), String::new()), |planned| (planned.place.clone(), planned.sql.join(";\n")))
        };
        let orphaned = self.orphaned().await?;
        if !orphaned.is_empty() {
            let (place, sql) = last(Planned::drops_a_table);
            let code = Code(CONSTRAINT_FOREIGNKEY);
            return Err(Failure::Operation {
                place,
                sql,
                message: format!("foreign keys don't hold: {}", orphaned.join("; ")),
                sqlstate: Some(code.describe()),
                help: code.help().to_owned(),
            });
        }
        let broken = self.broken_triggers().await?;
        if !broken.is_empty() {
            let (place, sql) = last(Planned::makes_anew);
            let help = "drop the trigger before it in a `sqlite { … }` block, and create it as it should be after it";
            return Err(Failure::Operation { place, sql, message: broken.join("; "), sqlstate: None, help: help.to_owned() });
        }
        self.commit().await.map_err(|error| match at(place, "commit".to_owned(), error) {
            Failure::Transient { place, sql, message, sqlstate } => {
                Failure::Transient { place, sql, message: format!("{message}: {}", self.reader()), sqlstate }
            }
            failure => failure,
        })
    }
}

/// Where a failure of the transaction as a whole is said to be: at its last step.
fn place(work: &Work) -> Place {
    let last = work.steps.iter().rfind(|planned| planned.decision == Decision::Run).or(work.steps.last());
    last.map_or_else(
        || Place {
            revision: work.migration.revision.to_owned(),
            name: work.migration.name.to_owned(),
            file: work.migration.file.to_owned(),
            ..Place::default()
        },
        |planned| planned.place.clone(),
    )
}

/// SQLite has no type for truth: what isn't null, zero or a word for false is true.
fn is_true(row: &sqlx::sqlite::SqliteRow) -> bool {
    let Ok(value) = row.try_get_raw(0) else { return false };
    match value.type_info().name() {
        "NULL" => false,
        "TEXT" => row.try_get::<&str, _>(0).is_ok_and(|text| !matches!(text, "" | "0" | "f" | "false")),
        "REAL" => row.try_get::<f64, _>(0).is_ok_and(|number| number != 0.0),
        _ => row.try_get::<i64, _>(0).is_ok_and(|number| number != 0),
    }
}

pub(super) fn failure(planned: &Planned, error: sqlx::Error) -> Failure {
    at(planned.place.clone(), planned.sql.join(";\n"), error)
}

fn at(place: Place, sql: String, error: sqlx::Error) -> Failure {
    let database = match error {
        sqlx::Error::Database(database) => database,
        error @ (sqlx::Error::WorkerCrashed | sqlx::Error::Io(_)) => {
            return Failure::Engine(Error::lost(error.to_string()));
        }
        error => {
            let help = "fix what the driver says and run `up` again".to_owned();
            return Failure::Operation { place, sql, message: error.to_string(), sqlstate: None, help };
        }
    };
    let code = Code::of(database.as_ref());
    let (mut message, sqlstate) = (database.message(), code.describe());
    if sql.contains(GUARD) {
        // a rebuild says what is wrong by the name of a constraint
        message = message.strip_prefix("CHECK constraint failed: ").unwrap_or(message);
    }
    let message = message.to_owned();
    if code.is_transient() {
        return Failure::Transient { place, sql, message, sqlstate };
    }
    Failure::Operation { place, sql, message, sqlstate: Some(sqlstate), help: code.help().to_owned() }
}
