//! Executes planned steps: optimistically in one message, each step protected by a savepoint.

use super::backend::{Postgres, no_transaction_timeout};
use super::batch::{Batch, Item, groups};
use super::blockers::{Wait, watched};
use super::codes::{is_absent, is_duplicate, is_pending, is_transient, is_transient_code, is_without_savepoint, lost};
use super::journal::{self, Measured};
use super::message::{Timed, mark_journalled, push_step, tell_progress};
use super::segments::{Segment, needs_session, segments};
use crate::engine::{Decision, Direction, Failure, Open, Planned, Work};
use crate::history::{Outcome, RevisionState};
use crate::{Error, Tx};
use migrate_core::name::quote_literal;
use migrate_core::step::Action;
use sqlx::{AssertSqlSafe, Row as _, SqlSafeStr as _};
use sqlx_core::transaction::TransactionManager as _;
use std::collections::BTreeSet;
use std::ops::Range;
use std::time::Duration;

type Driver = <sqlx::Postgres as sqlx::Database>::TransactionManager;

/// PostgreSQL caches 64 subtransactions a transaction, released ones included; beyond that everybody pays.
const SAVEPOINTS: usize = 60;

/// Of those, what is kept for the single replay of groups that failed.
const RESERVE: usize = 10;

/// The savepoint before a step or a group. Names nest; a released one can be used again.
pub(super) const SAVEPOINT: &str = "savepoint _migrate_step";
pub(super) const RELEASE: &str = "release savepoint _migrate_step";
pub(super) const BACK: &str = "rollback to savepoint _migrate_step; release savepoint _migrate_step";

impl Postgres {
    /// Executes all of the work. On a failure the transaction is still open; the caller rolls it back.
    pub(super) async fn run(&mut self, work: &mut Work) -> Result<(), Failure> {
        if !self.in_transaction {
            self.open = Open::default();
        }
        let segments = segments(&work.steps, work.completes, &mut self.open);
        let whole = work.completes && segments.iter().all(|segment| matches!(segment, Segment::Inside(_))) && segments.len() <= 1;
        let count = segments.len();
        let mut outside = segments.iter().filter_map(|segment| if let Segment::Outside(i) = segment { Some(*i) } else { None });
        let outside = outside.find(|i| needs_session(&work.steps[*i]));
        if let Some(i) = outside
            && !self.in_transaction
        {
            self.refuse_pooler(work, i).await?;
        }
        for (i, segment) in segments.into_iter().enumerate() {
            let last = i + 1 == count;
            match segment {
                Segment::Inside(steps) => {
                    let commits = !last || work.completes;
                    self.run_inside(work, &steps, commits, last && work.completes, whole).await?;
                }
                Segment::Outside(step) => {
                    self.commit_open(work).await?;
                    if work.steps[step].batched.is_some() {
                        self.run_batches(work, step).await?;
                    } else {
                        self.refuse_pooler(work, step).await?;
                        self.run_outside(work, step).await?;
                    }
                    if last && work.completes {
                        self.run_inside(work, &[], true, true, false).await?;
                    }
                }
            }
        }
        if count == 0 && work.completes {
            self.run_inside(work, &[], true, true, true).await?;
        }
        Ok(())
    }

    /// A step that can't be in a transaction needs a session. Asked outside of one: in it, a pooler gives us one.
    async fn refuse_pooler(&mut self, work: &Work, i: usize) -> Result<(), Failure> {
        if !needs_session(&work.steps[i]) || !self.is_pooled().await? {
            return Ok(());
        }
        let message = "it can't be in a transaction, and this connection goes through a pooler that has sessions for one transaction only";
        let help = match work.steps[i].lowered {
            None => "give `migrate` the URL of the server itself, and run `up` again",
            Some(_) => "give `migrate` the URL of the server itself, or let no table be large (`--large-table never`), and run `up` again",
        };
        Err(Failure::of_step(&work.steps[i], message.to_owned(), help))
    }

    /// Commits an open transaction, with what has been done in it so far.
    async fn commit_open(&mut self, work: &mut Work) -> Result<(), Failure> {
        if self.in_transaction {
            self.run_inside(work, &[], true, false, false).await?;
        }
        Ok(())
    }

    /// Runs steps in one transaction. `completes`: the revision is done afterwards.
    async fn run_inside(&mut self, work: &mut Work, steps: &[usize], commits: bool, completes: bool, whole: bool) -> Result<(), Failure> {
        let mut budget = SAVEPOINTS.saturating_sub(self.savepoints_used);
        let mut queue: Vec<Range<usize>> = groups(steps.len(), budget.saturating_sub(RESERVE));
        let mut at_once = BTreeSet::new();
        loop {
            // Rust steps and assertions end a message: they need to see what is before them
            let stop = queue.iter().position(|group| steps[group.clone()].iter().any(|&i| !is_sql(&work.steps[i])));
            let now: Vec<Range<usize>> = match stop {
                Some(0) => {
                    let group = queue.remove(0);
                    for &i in &steps[group] {
                        self.run_single(work, i).await?;
                        budget = budget.saturating_sub(1);
                    }
                    continue;
                }
                Some(stop) => queue.drain(..stop).collect(),
                None => std::mem::take(&mut queue),
            };
            let finishing = queue.is_empty();
            let mut batch = Batch::of(&[work.migration.name]);
            self.push_begin(&mut batch, work, Timed::Steps);
            for group in &now {
                batch.push(Item::Frame, SAVEPOINT);
                for &i in &steps[group.clone()] {
                    push_step(&mut batch, work, i);
                }
                batch.push(Item::Frame, RELEASE);
            }
            if finishing {
                self.push_journal(&mut batch, work, completes, whole, steps, Timed::Steps);
                if commits {
                    self.push_measured(&mut batch);
                    batch.push(Item::Commit, "commit");
                }
            }
            if batch.is_empty() {
                return Ok(());
            }
            let Self { connection, guard, options, .. } = self;
            let pushed = self.measured.len();
            let mut durations = work.durations.clone();
            let mut heard = |_, item, took: Option<Duration>| {
                tell_progress(options, work, item);
                if let (Item::Clock(Some(i)), Some(took)) = (item, took) {
                    durations[i] += took;
                }
            };
            let (sent, waits) = watched(guard.as_mut(), options, batch.send(connection, &mut heard)).await;
            work.durations = durations;
            self.note_waits(work, waits);
            self.in_transaction = true;
            let Some((_, item, error)) = sent.failed else {
                if finishing {
                    mark_journalled(work, steps, completes);
                    if commits {
                        self.measured.drain(..pushed);
                        self.note_durations(work, steps, &work.durations);
                        self.in_transaction = false;
                        self.savepoints_used = 0;
                    }
                    return Ok(());
                }
                self.savepoints_used += now.len();
                continue;
            };
            let Item::Step(failed) = item else { return Err(Self::own_failure(item, error)) };
            let group = now.iter().position(|group| steps[group.clone()].contains(&failed)).unwrap_or(0);
            let mut rest: Vec<Range<usize>> = now[group..].to_vec();
            rest.append(&mut queue);
            self.savepoints_used += group;
            if rest[0].len() > 1 && lost(&error).is_none() && !is_transient(&error) {
                // one of a group: roll the group back and do its steps one by one
                self.raw(BACK).await?;
                let single: Vec<Range<usize>> = rest.remove(0).map(|i| i..i + 1).collect();
                queue = single.into_iter().chain(regroup(&rest, SAVEPOINTS.saturating_sub(self.savepoints_used + RESERVE))).collect();
                continue;
            }
            if is_pending(&error) && at_once.insert(failed) {
                self.raw(BACK).await?;
                self.check_now(work, failed).await?;
                queue = rest;
                continue;
            }
            self.handle(work, failed, error).await?;
            rest.remove(0);
            queue = rest;
        }
    }

    /// Rows of earlier steps wait for their checks, and PostgreSQL doesn't change their table before they are checked. From
    /// here to the end of the transaction no check is put off.
    async fn check_now(&mut self, work: &Work, i: usize) -> Result<(), Failure> {
        let Err(error) = self.statement(work, "set constraints all immediate".to_owned()).await else { return Ok(()) };
        Err(match self.failed(&work.steps[i], error) {
            Failure::Operation { place, sql, message, sqlstate: Some(code), help } if code.starts_with("23") => {
                let message = format!("rows that were written before it don't stand the check that was put off: {message}");
                Failure::Operation { place, sql, message, sqlstate: Some(code), help }
            }
            failure => failure,
        })
    }

    /// The step failed alone. Decides whether that is a skip, a satisfaction, or a failure.
    async fn handle(&mut self, work: &mut Work, i: usize, error: sqlx::Error) -> Result<(), Failure> {
        let failure = self.failed(&work.steps[i], error);
        let Failure::Operation { sqlstate: Some(code), .. } = &failure else { return Err(failure) };
        // the code never says which object is missing: only a look at the catalog does
        if !(is_absent(code) || is_duplicate(code)) {
            return Err(failure);
        }
        self.raw(BACK).await?;
        if is_duplicate(code) && self.is_there_identically(&work.steps[i]).await? {
            work.steps[i].decision = Decision::Satisfied;
            return Ok(());
        }
        let live = self.snapshot_here().await?;
        match work.steps[i].reconsider::<Self>(&live) {
            Some(decision) => {
                work.steps[i].decision = decision;
                Ok(())
            }
            None => Err(failure),
        }
    }

    /// A Rust step or an assertion, in a savepoint of its own.
    async fn run_single(&mut self, work: &mut Work, i: usize) -> Result<(), Failure> {
        let mut batch = Batch::default();
        self.push_begin(&mut batch, work, Timed::Steps);
        batch.push(Item::Frame, SAVEPOINT);
        if let Some((_, item, error)) = batch.send(&mut self.connection, &mut |_, _, _| {}).await.failed {
            return Err(Self::own_failure(item, error));
        }
        self.in_transaction = true;
        self.savepoints_used += 1;
        self.count_ours().await.map_err(|error| Self::own_failure(Item::Frame, error))?;
        let began = std::time::Instant::now();
        match work.steps[i].step.action.clone() {
            Action::Run { function } => {
                let call = work.migration.function(&function).ok_or_else(|| Error::Format {
                    doing: "calling a Rust step",
                    reason: format!("the migration has no function `{function}`"),
                })?;
                let Self { connection, guard, options, .. } = self;
                let (outcome, waits) = watched(guard.as_mut(), options, call(&mut Tx::of_postgres(connection))).await;
                self.note_waits(work, waits);
                if let Err(error) = outcome {
                    if self.raw(BACK).await.is_err_and(|error| is_without_savepoint(&error)) {
                        return Err(Failure::transaction_ended(&work.steps[i].place, Some(&error.to_string())));
                    }
                    return Err(match error {
                        Error::Database(error) => self.failed(&work.steps[i], error),
                        error => Failure::of_step(&work.steps[i], error.to_string(), "fix what the step says and run `up` again"),
                    });
                }
            }
            Action::Assert { message, query } => {
                let Self { connection, guard, options, .. } = self;
                let asked = sqlx::raw_sql(AssertSqlSafe(query)).fetch_all(connection);
                let (rows, waits) = watched(guard.as_mut(), options, asked).await;
                self.note_waits(work, waits);
                let rows = rows.map_err(|error| self.failed(&work.steps[i], error))?;
                let holds = !rows.is_empty() && rows.iter().all(is_true);
                if !holds {
                    return Err(Failure::of_step(&work.steps[i], message, "make the data what the assertion asks for and run `up` again"));
                }
            }
            Action::Change(_) | Action::Declare { .. } => {
                for sql in work.steps[i].sql.clone() {
                    if let Err(error) = self.statement(work, sql).await {
                        self.handle(work, i, error).await?;
                        return Ok(());
                    }
                }
            }
        }
        work.durations[i] = began.elapsed();
        match self.raw(RELEASE).await {
            Err(error) if is_without_savepoint(&error) => Err(Failure::transaction_ended(&work.steps[i].place, None)),
            released => Ok(released?),
        }
    }

    /// Tells the driver that a transaction is open: so one that a Rust step begins becomes a savepoint in ours, and its
    /// commit doesn't commit the migration. The driver counts on from there for as long as the connection lives.
    pub(super) async fn count_ours(&mut self) -> Result<(), sqlx::Error> {
        if Driver::get_transaction_depth(&self.connection) == 0 {
            let nothing = AssertSqlSafe("savepoint _migrate_rust; release savepoint _migrate_rust").into_sql_str();
            Driver::begin(&mut self.connection, Some(nothing)).await?;
        }
        Ok(())
    }

    /// A step that can't be in a transaction: announced in the journal, run, verified, recorded.
    async fn run_outside(&mut self, work: &mut Work, i: usize) -> Result<(), Failure> {
        let planned = work.steps[i].clone();
        let revision = work.migration.revision;
        let sql = planned.sql.join(";\n");
        let row = |outcome| journal::Row { planned: &planned, outcome, evidence: "", sqlstate: None, sql: &sql };
        // what was planned before it and needed no run is recorded with it, so that a resume finds its place
        let earlier: Vec<_> = work.outcomes().filter(|(other, ..)| other.number < planned.number).collect();
        let mut rows: Vec<_> = earlier
            .iter()
            .map(|(planned, outcome, evidence)| journal::Row { planned, outcome: *outcome, evidence, sqlstate: None, sql: "" })
            .collect();
        rows.push(row(Outcome::Started));
        let mut announce = Batch::default();
        announce.push(Item::Frame, "begin");
        announce.push(Item::Frame, &format!("select {}", self.at_work()));
        announce.push(Item::Journal, &journal::record(self.run_id, revision, work.direction, &rows));
        if work.direction != Direction::Replay {
            announce.push(Item::Journal, &journal::record_revision(self.run_id, work.migration, RevisionState::Started));
        }
        announce.push(Item::Commit, "commit");
        drop(rows);
        let sent = announce.send(&mut self.connection, &mut |_, _, _| {}).await;
        if let Some((_, item, error)) = sent.failed {
            return Err(Self::own_failure(item, error));
        }
        for step in work.steps.iter_mut().filter(|step| step.number < planned.number) {
            step.journalled = true;
        }
        let began = std::time::Instant::now();
        let elsewhere = match self.reconsider_outside(&planned).await? {
            None if planned.lowered.is_some() => Box::pin(self.run_phases(work, i)).await?,
            None => self.statements_outside(work, &planned).await?,
            elsewhere => elsewhere,
        };
        match elsewhere {
            Some(decision) => work.steps[i].decision = decision,
            None => work.durations[i] = began.elapsed(),
        }
        let (outcome, evidence) = work.steps[i].outcome(work.direction).unwrap_or((Outcome::Applied, String::new()));
        // the last phase has recorded it, in its transaction
        if work.steps[i].decision != Decision::Run || planned.lowered.is_none() {
            let done = journal::Row { evidence: &evidence, ..row(outcome) };
            self.raw(&journal::record(self.run_id, revision, work.direction, &[done])).await?;
        }
        self.note_durations(work, &[i], &work.durations);
        work.steps[i].journalled = true;
        Ok(())
    }

    /// Runs the statements of a step that can't be in a transaction. A decision: somebody else has done it meanwhile.
    async fn statements_outside(&mut self, work: &Work, planned: &Planned) -> Result<Option<Decision>, Failure> {
        self.set_session().await?;
        self.drop_invalid_leftover(work, planned).await?;
        for sql in self.statements(planned).await? {
            if let Err(error) = self.statement(work, sql).await {
                let failure = self.failed(planned, error);
                if let Failure::Operation { sqlstate: Some(code), .. } = &failure
                    && (is_absent(code) || is_duplicate(code))
                    && let Some(decision) = self.look_again(planned).await?
                {
                    return Ok(Some(decision));
                }
                // what can't be dropped now is dropped by the next `up`
                if !matches!(failure, Failure::Engine(_))
                    && let Err(left) = self.drop_invalid_leftover(work, planned).await
                    && left.is_lost()
                {
                    return Err(left);
                }
                return Err(self.name_duplicates(planned, failure).await);
            }
        }
        self.verify(planned).await?;
        Ok(None)
    }

    /// Sets for the session what is otherwise set for each transaction.
    pub(super) async fn set_session(&mut self) -> Result<(), Error> {
        self.raw(&format!(
            "select pg_catalog.set_config('lock_timeout', '0', false), pg_catalog.set_config('statement_timeout', '0', false), \
             pg_catalog.set_config('search_path', {}, false), {}",
            quote_literal(super::backend::SEARCH_PATH),
            no_transaction_timeout(false)
        ))
        .await
    }

    /// A statement of our own.
    pub(super) async fn raw(&mut self, sql: &str) -> Result<(), Error> {
        let done = sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut self.connection).await;
        done.map(drop).map_err(|error| Error::server("talking to the server", error))
    }

    pub(super) fn own_failure(item: Item, error: sqlx::Error) -> Failure {
        let doing = match item {
            Item::Journal => "writing the journal",
            Item::Commit => "committing",
            _ => "opening the transaction",
        };
        match lost(&error).or_else(|| Self::guard_is_gone(&error)) {
            Some(reason) => Failure::Engine(Error::lost(reason)),
            None => Failure::Engine(Error::server(doing, error)),
        }
    }

    /// A statement of the migration's.
    pub(super) async fn statement(&mut self, work: &Work, sql: String) -> Result<(), sqlx::Error> {
        let Self { connection, guard, options, .. } = self;
        let run = sqlx::raw_sql(AssertSqlSafe(sql)).execute(connection);
        let (done, waits) = watched(guard.as_mut(), options, run).await;
        self.note_waits(work, waits);
        done.map(drop)
    }

    /// Keeps who stood in the way, for the error and for the journal.
    pub(super) fn note_waits(&mut self, work: &Work, waits: Vec<Wait>) {
        self.blockers = waits.last().map(|wait| wait.blockers.clone()).unwrap_or_default();
        let (revision, direction) = (work.migration.revision, work.direction);
        self.measured.extend(waits.into_iter().map(|wait| Measured::Wait { revision, direction, wait }));
    }

    /// Keeps how long the steps took, for the journal.
    pub(super) fn note_durations(&mut self, work: &Work, steps: &[usize], durations: &[Duration]) {
        let (revision, direction) = (work.migration.revision, work.direction);
        let timed = steps.iter().filter(|&&i| work.steps[i].decision == Decision::Run && !durations[i].is_zero());
        let timed = timed.map(|&i| Measured::Timing { revision, direction, number: work.steps[i].number, took: durations[i] });
        self.measured.extend(timed);
    }

    /// Why a step failed, and who stood in its way.
    pub(super) fn failed(&self, planned: &Planned, error: sqlx::Error) -> Failure {
        let mut failure = Self::failure(planned, error);
        if let Failure::Transient { message, .. } = &mut failure
            && !self.blockers.is_empty()
        {
            let blockers: Vec<String> = self.blockers.iter().map(ToString::to_string).collect();
            *message = format!("{message}; in the way: {}", blockers.join("; "));
        }
        failure
    }

    fn failure(planned: &Planned, error: sqlx::Error) -> Failure {
        if let Some(reason) = lost(&error) {
            return Failure::Engine(Error::lost(reason).at(&planned.place));
        }
        let sql = planned.sql.join(";\n");
        let place = planned.place.clone();
        let sqlx::Error::Database(database) = error else {
            return Failure::of_step(planned, error.to_string(), "fix what the driver says and run `up` again");
        };
        let code = database.code().map(std::borrow::Cow::into_owned).unwrap_or_default();
        let mut message = database.message().to_owned();
        if let Some(said) = database.try_downcast_ref::<sqlx::postgres::PgDatabaseError>() {
            if let Some(detail) = said.detail() {
                message = format!("{message}: {detail}");
            }
            // the innermost function that it happened in
            let is_function = |line: &&str| line.starts_with("PL/") || line.starts_with("SQL function ");
            if let Some(place) = said.r#where().and_then(|place| place.lines().find(is_function)) {
                message = format!("{message} (in {place})");
            }
        }
        if is_transient_code(&code) {
            return Failure::Transient { place, sql, message, sqlstate: code };
        }
        let help = super::backend::help_for(&code).to_owned();
        Failure::Operation { place, sql, message, sqlstate: Some(code), help }
    }
}

/// Joins what is left into at most `savepoints` groups. Groups are adjacent ranges.
fn regroup(rest: &[Range<usize>], savepoints: usize) -> Vec<Range<usize>> {
    let (Some(first), Some(last)) = (rest.first(), rest.last()) else { return Vec::new() };
    groups(last.end - first.start, savepoints.max(1)).into_iter().map(|group| first.start + group.start..first.start + group.end).collect()
}

pub(super) fn is_sql(planned: &Planned) -> bool {
    matches!(planned.step.action, Action::Change(_) | Action::Declare { .. })
}

fn is_true(row: &sqlx::postgres::PgRow) -> bool {
    // the simple protocol gives text
    row.try_get_raw(0)
        .ok()
        .and_then(|value| sqlx::ValueRef::is_null(&value).then_some(false).or_else(|| value.as_str().ok().map(|text| text != "f")))
        .unwrap_or(false)
}
