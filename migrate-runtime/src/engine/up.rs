//! `up`: applies what is pending, and what was skipped before and can be done now.

use super::lost::{Attempted, Lost};
use super::planner::{Decision, Planned, Planner};
use super::together::{Next, send_ahead};
use super::work::{Direction, Failure, Work};
use super::{Backend, Event, Options, milliseconds};
use crate::history::{History, Outcome};
use crate::{Error, Head, Migration, Migrations, Result};
use migrate_core::step::{Dialect, Step};
use migrate_core::verdict::told;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::{Duration, Instant};
use tracing::Instrument as _;

/// What a command has done.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Summary {
    /// Host, port, database and user, without the password.
    pub target: String,
    /// Where the database stands now: the recorded revisions that no recorded one follows.
    pub current: Vec<Head>,
    /// How many operations are skipped for now, in all revisions.
    pub skipped: usize,
    /// The revisions that it worked on, in their order.
    pub revisions: Vec<RevisionReport>,
}

impl Summary {
    /// What the reports make of a history.
    pub(super) fn new(target: String, chain: Migrations, history: &History, revisions: Vec<RevisionReport>) -> Self {
        let mut done: BTreeSet<&str> = history.revisions.keys().map(String::as_str).filter(|revision| history.is_done(revision)).collect();
        let mut skipped: BTreeSet<(&str, usize)> = history.skipped().map(|row| (row.revision.as_str(), row.number)).collect();
        for report in &revisions {
            let revision = report.revision.as_str();
            if report.direction == Direction::Down.as_str() {
                done.remove(revision);
                skipped.retain(|(other, _)| *other != revision);
                continue;
            }
            done.insert(revision);
            for operation in &report.operations {
                if operation.outcome == Outcome::Skipped {
                    skipped.insert((revision, operation.number));
                } else {
                    skipped.remove(&(revision, operation.number));
                }
            }
        }
        let (current, skipped) = (crate::history::heads(chain, |revision| done.contains(revision)), skipped.len());
        Self { target, current, skipped, revisions }
    }
}

/// What was done for one revision.
#[derive(Clone, Debug, serde::Serialize)]
pub struct RevisionReport {
    /// The revision.
    pub revision: String,
    /// Its name.
    pub name: String,
    /// `up`, `down` or `replay`.
    pub direction: &'static str,
    /// What became of its operations.
    pub operations: Vec<OperationReport>,
    /// How long it took, in milliseconds, with all attempts and the pauses between them.
    pub duration_ms: u64,
}

/// What became of one operation.
#[derive(Clone, Debug, serde::Serialize)]
pub struct OperationReport {
    /// Its number in the migration, from 1.
    pub number: usize,
    /// What it does.
    pub operation: String,
    /// What became of it.
    pub outcome: Outcome,
    /// Why, where that isn't plain.
    pub evidence: String,
    /// The source file.
    pub file: String,
    /// The line, from 1.
    pub line: u32,
    /// How long it took, in milliseconds: on PostgreSQL by the server's clock, for what reads or writes many rows, is opaque
    /// or runs outside of a transaction, and 0 for the rest; on SQLite for everything. 0 for what wasn't run.
    pub duration_ms: u64,
}

impl RevisionReport {
    /// How many operations had that outcome.
    #[must_use]
    pub fn count(&self, outcome: Outcome) -> usize {
        self.operations.iter().filter(|operation| operation.outcome == outcome).count()
    }
}

/// Applies what is pending, up to `target`.
pub(crate) async fn up<B: Backend>(backend: &mut B, chain: Migrations, target: Option<&str>, options: &Options) -> Result<Summary> {
    let history = backend.history().await?;
    history.validate(chain)?;
    if history.pending(chain, target)?.is_empty() && history.skipped().next().is_none() {
        return Ok(Summary::new(backend.target(), chain, &history, Vec::new()));
    }
    let mut history = backend.guard("up").await?.history;
    let mut reports = Vec::new();
    let result = loop {
        match Box::pin(guarded(backend, chain, target, options, &history, &mut reports)).await {
            Err(Failure::Overtaken) => match backend.history().await {
                Ok(now) => history = now,
                Err(error) => break Err(error),
            },
            Err(Failure::Lost(lost)) => match lost.settle(backend, "up", options, &reports).await {
                Ok((settled, now)) => {
                    reports.extend(settled);
                    history = now;
                }
                Err(error) => break Err(error),
            },
            result => break result.map_err(|failure| failure.into_error(false, true)),
        }
    };
    let released = backend.release().await;
    result?;
    released?;
    Ok(Summary::new(backend.target(), chain, &history, reports))
}

async fn guarded<B: Backend>(
    backend: &mut B,
    chain: Migrations,
    target: Option<&str>,
    options: &Options,
    history: &History,
    reports: &mut Vec<RevisionReport>,
) -> Result<(), Failure> {
    history.validate(chain)?;
    let pending = history.pending(chain, target)?;
    let live = backend.snapshot().await?;
    let mut planner = Planner::new(live, backend.dialect());
    for migration in chain.migrations.iter().copied().filter(|migration| history.is_done(migration.revision)) {
        reports.extend(replay(backend, &mut planner, migration, history, options).await?);
    }
    let mut pending = VecDeque::from(pending);
    let mut next = Next::new();
    let is_interrupted = |migration: &Migration| history.revision(migration.revision).is_some();
    while !pending.is_empty() {
        if send_ahead(backend, &mut planner, &mut pending, is_interrupted, options, &mut next, reports).await? {
            continue;
        }
        if let Some(migration) = pending.pop_front() {
            reports.push(apply(backend, &mut planner, migration, history, options).await?);
            next.widen();
        }
    }
    Ok(())
}

/// Moves the model over a migration that is done, and does what it had to skip, where that is possible now.
async fn replay<B: Backend>(
    backend: &mut B,
    planner: &mut Planner,
    migration: &'static Migration,
    history: &History,
    options: &Options,
) -> Result<Option<RevisionReport>, Failure> {
    let steps = migration.up_steps();
    let outcomes = history.outcomes(migration.revision);
    let skipped = |number: usize| outcomes.get(&number).is_some_and(|row| row.outcome == Outcome::Skipped);
    if !(1..=steps.len()).any(skipped) {
        let stamped = history.is_stamped(migration.revision);
        for step in &steps {
            if stamped {
                planner.replay_stamped(migration, step);
            } else {
                planner.replay_done(migration, step, false);
            }
        }
        return Ok(None);
    }
    let checkpoint = planner.clone();
    let done = |number: usize| if skipped(number) { None } else { Some(Outcome::Applied) };
    let chunk = planner.chunk(Some(&mut *backend), migration, &steps, 1, &done).await?;
    let changed = chunk.steps.iter().any(|planned| !matches!(planned.decision, Decision::Done | Decision::Skipped(_) | Decision::Declared));
    if !changed && !chunk.cut {
        return Ok(None);
    }
    *planner = checkpoint;
    // asked for only here: what stays skipped costs no look at the database
    let rows = backend.outcomes(migration.revision).await?;
    let begun: BTreeSet<usize> = rows.iter().filter(|row| !row.reverses && row.outcome == Outcome::Started).map(|row| row.number).collect();
    let done = |number: usize| if begun.contains(&number) { Some(Outcome::Started) } else { done(number) };
    let attempt = Attempt { migration, steps: &steps, direction: Direction::Replay, options };
    attempt.run(backend, planner, &done).await.map(Some)
}

/// Applies a migration that isn't done, or goes on with one that was interrupted.
async fn apply<B: Backend>(
    backend: &mut B,
    planner: &mut Planner,
    migration: &'static Migration,
    history: &History,
    options: &Options,
) -> Result<RevisionReport, Failure> {
    let steps = migration.up_steps();
    let recorded: BTreeMap<usize, Outcome> =
        history.outcomes(migration.revision).into_iter().map(|(number, row)| (number, row.outcome)).collect();
    let interrupted = history.revision(migration.revision).is_some();
    let done = move |number: usize| {
        recorded.get(&number).copied().filter(|outcome| interrupted && !matches!(outcome, Outcome::Failed | Outcome::Reverted))
    };
    let attempt = Attempt { migration, steps: &steps, direction: Direction::Up, options };
    attempt.run(backend, planner, &done).await
}

/// One migration, tried until it is done or has failed.
pub(super) struct Attempt<'a> {
    pub(super) migration: &'static Migration,
    pub(super) steps: &'a [Step],
    pub(super) direction: Direction,
    pub(super) options: &'a Options,
}

type Done<'a> = dyn Fn(usize) -> Option<Outcome> + Sync + 'a;

impl Attempt<'_> {
    /// Runs the steps. When a lock isn't free the transaction is rolled back, and everything is decided and tried anew.
    pub(super) async fn run<B: Backend>(&self, backend: &mut B, planner: &mut Planner, done: &Done<'_>) -> Result<RevisionReport, Failure> {
        let span = revision_span(backend.dialect(), self.migration, self.direction, self.steps.len());
        self.until_done(backend, planner, done).instrument(span).await
    }

    async fn until_done<B: Backend>(&self, backend: &mut B, planner: &mut Planner, done: &Done<'_>) -> Result<RevisionReport, Failure> {
        let migration = self.migration;
        tell_revision(self.options, migration, self.direction, self.steps.len());
        let checkpoint = planner.clone();
        let began = Instant::now();
        let mut pause = Duration::from_millis(100);
        let mut recorded: BTreeMap<usize, Outcome> = BTreeMap::new();
        // an attempt that is tried again may have committed segments: what it did there is part of the report
        let mut operations: BTreeMap<usize, OperationReport> = BTreeMap::new();
        loop {
            let known = |number: usize| recorded.get(&number).copied().or_else(|| done(number));
            let failure = match self.once(backend, planner, &known, &mut operations).await {
                Ok(()) => {
                    let report = RevisionReport {
                        revision: migration.revision.to_owned(),
                        name: migration.name.to_owned(),
                        direction: self.direction.as_str(),
                        operations: operations.into_values().collect(),
                        duration_ms: milliseconds(began.elapsed()),
                    };
                    self.options.tell(&Event::Done(report.clone()));
                    return Ok(report);
                }
                Err(failure) => failure,
            };
            match failure {
                Failure::Overtaken => return Err(failure),
                Failure::Engine(error @ Error::ConnectionLost { .. }) => {
                    let is_done = |number: &usize| done(*number).is_some_and(|outcome| outcome != Outcome::Started);
                    let numbers = (1..=self.steps.len()).filter(|number| !is_done(number)).collect();
                    let attempted = Attempted { migration, steps: self.steps.to_vec(), numbers };
                    return Err(Lost::new(error, vec![attempted], self.direction, began).into());
                }
                _ => {}
            }
            backend.roll_back().await?;
            // what a long operation took was no wait for a lock
            let worked = operations.values().map(|operation| operation.duration_ms).sum();
            let left = self.options.lock_budget.saturating_sub(began.elapsed().saturating_sub(Duration::from_millis(worked)));
            if !left.is_zero()
                && let Failure::Transient { place, message, .. } = &failure
            {
                // the last pause is as long as the budget lasts
                let jitter = pause.mul_f64(0.5 + fastrand::f64()).min(left);
                self.options.tell(&Event::Retrying { reason: format!("{place}: {message}"), pause_ms: milliseconds(jitter) });
                tokio::time::sleep(jitter).await;
                pause = (pause * 2).min(Duration::from_secs(5));
                *planner = checkpoint.clone();
                planner.refresh(backend.snapshot().await?);
                recorded = self.recorded(backend, done).await?;
                continue;
            }
            let journalled = backend.record_failure(migration, self.direction, &failure).await?;
            let committed = journalled && !self.recorded(backend, done).await?.is_empty();
            return Err(failure.into_error(committed, journalled).into());
        }
    }

    /// What earlier segments of this migration have committed. What is replayed was recorded before, as skipped, and what
    /// isn't has nothing to do with it.
    async fn recorded<B: Backend>(&self, backend: &mut B, done: &Done<'_>) -> Result<BTreeMap<usize, Outcome>> {
        if backend.history().await?.revision(self.migration.revision).is_none() {
            return Ok(BTreeMap::new());
        }
        let reverses = self.direction == Direction::Down;
        let rows = backend.outcomes(self.migration.revision).await?.into_iter().filter(|row| row.reverses == reverses);
        let replays = self.direction == Direction::Replay;
        let is_undone =
            |outcome: Outcome| matches!(outcome, Outcome::Started | Outcome::Failed) || (replays && outcome == Outcome::Skipped);
        let now =
            rows.filter(|row| !is_undone(row.outcome) && (!replays || done(row.number).is_none_or(|outcome| outcome == Outcome::Started)));
        Ok(now.map(|row| (row.number, row.outcome)).collect())
    }

    async fn once<B: Backend>(
        &self,
        backend: &mut B,
        planner: &mut Planner,
        done: &Done<'_>,
        operations: &mut BTreeMap<usize, OperationReport>,
    ) -> Result<(), Failure> {
        let mut next = 0;
        if planner.is_unread() {
            planner.refresh(backend.snapshot().await?);
        }
        loop {
            let chunk = planner.chunk(Some(&mut *backend), self.migration, &self.steps[next..], next + 1, done).await?;
            if let Some(failure) = chunk.steps.iter().find_map(refusal) {
                return Err(failure);
            }
            next += chunk.steps.len();
            let completes = !chunk.cut;
            let durations = vec![Duration::ZERO; chunk.steps.len()];
            let mut work = Work {
                migration: self.migration,
                direction: self.direction,
                steps: chunk.steps,
                completes,
                drops_later: chunk.drops_later,
                durations,
                lock_timeout: self.options.lock_timeout,
            };
            backend.execute(&mut work).await?;
            tell_operations(self.options, &work, &work.durations, operations);
            if completes {
                return Ok(());
            }
            planner.refresh(backend.snapshot().await?);
        }
    }
}

/// The span of one migration, while the engine works on it.
pub(super) fn revision_span(dialect: Dialect, migration: &Migration, direction: Direction, operations: usize) -> tracing::Span {
    tracing::info_span!(
        "migrate.revision",
        otel.kind = "client",
        db.system.name = dialect.system(),
        migrate.revision = migration.revision,
        migrate.name = migration.name,
        migrate.direction = direction.as_str(),
        migrate.operations = operations,
    )
}

/// Tells that a migration begins.
pub(super) fn tell_revision(options: &Options, migration: &Migration, direction: Direction, operations: usize) {
    options.tell(&Event::Revision {
        revision: migration.revision.to_owned(),
        name: migration.name.to_owned(),
        operations,
        direction: direction.as_str(),
    });
}

/// Tells what became of the operations of a work, and adds them to a report.
pub(super) fn tell_operations(options: &Options, work: &Work, durations: &[Duration], operations: &mut BTreeMap<usize, OperationReport>) {
    for (planned, duration) in work.steps.iter().zip(durations) {
        if let Some((outcome, evidence)) = planned.outcome(work.direction) {
            let report = report(planned, outcome, evidence, *duration);
            tracing::info!(
                migrate.operation = report.operation,
                migrate.number = report.number,
                migrate.outcome = outcome.as_str(),
                code.file.path = report.file,
                code.line.number = report.line,
                "operation"
            );
            options.tell(&Event::Operation(report.clone()));
            operations.insert(report.number, report);
        }
    }
}

/// The failure that a decision means, if it means one.
pub(super) fn refusal(planned: &Planned) -> Option<Failure> {
    let (place, sql) = (planned.place.clone(), planned.sql.join(";\n"));
    match &planned.decision {
        Decision::Missing(key) => {
            let message = format!("{key} is not in the database");
            let help = "the database has drifted from its history: bring the object back, \
                        or declare its table with `optional!` if only some deployments have it";
            Some(Failure::Drift { place, sql, verdict: "absent", message, help: help.to_owned() })
        }
        Decision::Conflict(differences) => {
            let lines: Vec<String> = told(differences).iter().map(|line| format!("  {line}")).collect();
            let message = format!("the database has it with another definition\n{}", lines.join("\n"));
            let help = "make the definitions equal, by hand or by a migration before this one, and run `up` again";
            Some(Failure::Drift { place, sql, verdict: "conflict", message, help: help.to_owned() })
        }
        Decision::Unsupported(unsupported) => {
            let (message, help) = (unsupported.message.clone(), unsupported.help.clone());
            Some(Failure::Operation { place, sql, message, sqlstate: None, help })
        }
        _ => None,
    }
}

fn report(planned: &Planned, outcome: Outcome, evidence: String, duration: Duration) -> OperationReport {
    OperationReport {
        number: planned.number,
        operation: planned.place.operation.clone(),
        outcome,
        evidence,
        file: planned.place.file.clone(),
        line: planned.place.line,
        duration_ms: milliseconds(duration),
    }
}
