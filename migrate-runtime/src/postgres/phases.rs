//! Steps in phases: each phase holds for itself, and an attempt that is interrupted is taken up by the next one.

use super::backend::{Postgres, help_for};
use super::batch::{Batch, Item};
use super::blockers::watched;
use super::codes::{is_about_the_server, is_absent, is_duplicate};
use super::message::Timed;
use super::{cursor, journal};
use crate::Error;
use crate::engine::{Backend as _, CursorPlace, Decision, Event, Failure, LOCK_HELP, Planned, Work, milliseconds};
use migrate_core::effects::LockMode;
use migrate_core::lowering::{Lowering, Pace, Phase, lower, removal};
use migrate_core::name::QualifiedName;
use migrate_core::step::Action;
use std::time::{Duration, Instant};

/// The longest that a weak lock is waited for, whatever the budget is.
const LONGEST_TIMEOUT: Duration = Duration::from_hours(24);

impl Postgres {
    /// Runs the phases that are left of a step; the last one records it. A decision: somebody else has done it meanwhile.
    pub(super) async fn run_phases(&mut self, work: &mut Work, i: usize) -> Result<Option<Decision>, Failure> {
        let planned = work.steps[i].clone();
        // what was planned may have waited for somebody who has gone on with it
        let live = self.snapshot_here().await?;
        let now = if let Action::Change(operation) = &planned.step.action { lower(operation, &live) } else { None };
        let Some(lowering) = now else {
            let message = "somebody else has changed the table in the meantime".to_owned();
            let (place, sql) = (planned.place.clone(), planned.sql.join(";\n"));
            let changed = Failure::Operation { place, sql, message, sqlstate: None, help: "run `up` again".to_owned() };
            let decision = self.look_again(&planned).await?.ok_or(changed)?;
            return self.finished_elsewhere(work, i, decision).await;
        };
        let phases = lowering.phases.len();
        let mut built = false;
        for (n, phase) in lowering.phases.iter().enumerate() {
            let (revision, number) = (work.migration.revision.to_owned(), planned.number);
            self.options.tell(&Event::Phase { revision, number, phase: n + 1, phases, sql: phase.sql.clone() });
            let records = self.records(work, i, &lowering, (n == 0, n + 1 == phases));
            let done = match (phase.pace, &lowering.fill) {
                (Pace::Outside, _) => self.build(work, &planned, &lowering, phase).await.map(|()| built = true),
                (Pace::Batches, Some(fill)) => self.fill(work, i, fill).await.map(|filled| note(work, i, &filled)),
                (Pace::Short | Pace::Long | Pace::Batches, _) => self.until_locked(work, i, phase, &records).await,
            };
            if let Err(failure) = done {
                self.roll_back().await?;
                if let Failure::Operation { sqlstate: Some(code), .. } = &failure
                    && (is_absent(code) || is_duplicate(code))
                    && let Some(decision) = self.look_again(&planned).await?
                {
                    return self.finished_elsewhere(work, i, decision).await;
                }
                // of what is only an invalid index nothing is left to go on from
                let leaves = phase.pace != Pace::Outside || !lowering.undo.is_empty();
                let stays = n > 0 || (lowering.is_begun && leaves);
                return Err(self.give_up(work, i, (&lowering, phase), failure, built, stays).await);
            }
        }
        self.verify(&planned).await?;
        Ok(None)
    }

    /// What the journal is told together with a phase: that the step is done, with the last one. How far the rows were filled
    /// counts no more then, and what an earlier attempt has left of that doesn't count when it is begun.
    fn records(&self, work: &Work, i: usize, lowering: &Lowering, (first, last): (bool, bool)) -> Vec<String> {
        let planned = &work.steps[i];
        let mut records = Vec::new();
        if last && let Some((outcome, evidence)) = planned.outcome(work.direction) {
            let sql = planned.sql.join(";\n");
            let row = journal::Row { planned, outcome, evidence: &evidence, sqlstate: None, sql: &sql };
            records.push(journal::record(self.run_id, work.migration.revision, work.direction, &[row]));
        }
        if lowering.fill.is_some() && (last || (first && !lowering.is_begun)) {
            records.push(cursor::delete(&CursorPlace::of(work, planned)));
        }
        records
    }

    /// Somebody else has done it meanwhile: what the phases have left is removed.
    async fn finished_elsewhere(&mut self, work: &Work, i: usize, decision: Decision) -> Result<Option<Decision>, Failure> {
        if let (Decision::Satisfied, Action::Change(operation)) = (&decision, &work.steps[i].step.action) {
            let sql = removal(operation, &self.snapshot_here().await?);
            if !sql.is_empty() {
                let locks = work.steps[i].lowered.iter().map(|lowered| (lowered.lowering.table.clone(), LockMode::AccessExclusive));
                self.until_locked(work, i, &short(sql, locks.collect()), &[]).await?;
            }
        }
        Ok(Some(decision))
    }

    /// Builds the index of a constraint that is to be. One that the server has ended for a deadlock is begun anew: that the
    /// last one took long is no reason to give up.
    async fn build(&mut self, work: &Work, planned: &Planned, lowering: &Lowering, phase: &Phase) -> Result<(), Failure> {
        self.set_session().await?;
        let (mut first, mut pause) = (None, Duration::from_millis(100));
        loop {
            let failure = match self.build_once(work, planned, lowering, phase).await {
                Ok(()) => return Ok(()),
                Err(failure) => failure,
            };
            let left = self.options.lock_budget.saturating_sub(first.get_or_insert_with(Instant::now).elapsed());
            match &failure {
                Failure::Transient { place, message, .. } if !left.is_zero() => {
                    let jitter = pause.mul_f64(0.5 + fastrand::f64()).min(left);
                    self.options.tell(&Event::RetryingPhase { reason: format!("{place}: {message}"), pause_ms: milliseconds(jitter) });
                    tokio::time::sleep(jitter).await;
                    pause = (pause * 2).min(Duration::from_secs(5));
                }
                // what can't be dropped now is dropped by the next `up`
                Failure::Transient { .. } => {
                    let dropped = self.drop_invalid_of(work, planned, lowering).await;
                    return Err(dropped.err().filter(Failure::is_lost).unwrap_or(failure));
                }
                _ => return Err(failure),
            }
        }
    }

    async fn build_once(&mut self, work: &Work, planned: &Planned, lowering: &Lowering, phase: &Phase) -> Result<(), Failure> {
        self.drop_invalid_of(work, planned, lowering).await?;
        for sql in &phase.sql {
            if let Err(error) = self.statement(work, sql.clone()).await {
                return Err(self.failed(planned, error));
            }
        }
        Ok(())
    }

    async fn drop_invalid_of(&mut self, work: &Work, planned: &Planned, lowering: &Lowering) -> Result<(), Failure> {
        match &lowering.index {
            Some(index) => self.drop_invalid(work, planned, index, &lowering.table).await,
            None => Ok(()),
        }
    }

    /// Runs a phase in a transaction of its own. When a lock isn't free it is rolled back and tried anew: what the phases
    /// before it have done holds.
    async fn until_locked(&mut self, work: &Work, i: usize, phase: &Phase, records: &[String]) -> Result<(), Failure> {
        let began = Instant::now();
        let mut pause = Duration::from_millis(100);
        loop {
            let Err(failure) = self.once(work, i, phase, records).await else { return Ok(()) };
            let left = self.options.lock_budget.saturating_sub(began.elapsed());
            let Failure::Transient { place, message, .. } = &failure else { return Err(failure) };
            if left.is_zero() {
                return Err(failure);
            }
            self.roll_back().await?;
            let jitter = pause.mul_f64(0.5 + fastrand::f64()).min(left);
            self.options.tell(&Event::RetryingPhase { reason: format!("{place}: {message}"), pause_ms: milliseconds(jitter) });
            tokio::time::sleep(jitter).await;
            pause = (pause * 2).min(Duration::from_secs(5));
        }
    }

    async fn once(&mut self, work: &Work, i: usize, phase: &Phase, records: &[String]) -> Result<(), Failure> {
        let mut batch = Batch::of(&[work.migration.name]);
        self.push_begin(&mut batch, work, Timed::Steps);
        if phase.pace == Pace::Long {
            batch.push(Item::Frame, "select pg_catalog.set_config('lock_timeout', '0', true)");
        }
        if phase.pace == Pace::Short {
            self.push_weak_lock(&mut batch, work, i, phase);
        }
        for sql in &phase.sql {
            batch.push(Item::Step(i), sql);
        }
        for record in records {
            batch.push(Item::Journal, record);
        }
        batch.push(Item::Commit, "commit");
        let Self { connection, guard, options, .. } = self;
        let (sent, waits) = watched(guard.as_mut(), options, batch.send(connection, &mut |_, _, _| {})).await;
        self.note_waits(work, waits);
        match sent.failed {
            None => Ok(()),
            Some((_, Item::Step(_), error)) => Err(self.failed(&work.steps[i], error)),
            Some((_, item, error)) => Err(Self::own_failure(item, error)),
        }
    }

    /// Takes a lock on the table before that blocks neither reads nor writes, and may be waited for: `autovacuum`, which comes
    /// when many rows have been changed, has it, and gives it back after `deadlock_timeout` only. A strong lock isn't waited
    /// for that long.
    fn push_weak_lock(&self, batch: &mut Batch, work: &Work, i: usize, phase: &Phase) {
        let own = work.steps[i].lowered.as_ref().map(|lowered| &lowered.lowering.table);
        let is_strong = |(table, mode): &(QualifiedName, LockMode)| Some(table) == own && *mode > LockMode::ShareUpdateExclusive;
        let Some((table, _)) = phase.locks.iter().find(|lock| is_strong(lock)) else { return };
        let timeout = |timeout: Duration| format!("select pg_catalog.set_config('lock_timeout', '{}ms', true)", timeout.as_millis());
        batch.push(Item::Frame, &timeout(self.options.lock_budget.max(work.lock_timeout).min(LONGEST_TIMEOUT)));
        batch.push(Item::Step(i), &format!("lock table only {} in share update exclusive mode", table.quoted()));
        batch.push(Item::Frame, &timeout(work.lock_timeout));
    }

    /// A phase has failed for good: what the phases have left is removed. What may still come to a good end stays for the
    /// next attempt.
    async fn give_up(
        &mut self,
        work: &Work,
        i: usize,
        (lowering, phase): (&Lowering, &Phase),
        failure: Failure,
        built: bool,
        stays: bool,
    ) -> Failure {
        let goes_on = "the phases before it hold, and the next `up` goes on from there";
        match failure {
            Failure::Transient { .. } if stays => failure.unfinished(goes_on.to_owned()),
            // the rows are not to blame, and what was proven of them took long
            Failure::Operation { sqlstate: Some(ref code), .. } if stays && is_about_the_server(code) => {
                if phase.pace == Pace::Outside
                    && let Err(left) = self.drop_invalid_of(work, &work.steps[i], lowering).await
                    && left.is_lost()
                {
                    return left;
                }
                failure.unfinished(goes_on.to_owned())
            }
            Failure::Operation { .. } => {
                // what nobody has validated rejects what the application writes: it goes before the rows are looked for
                let cleaned = self.clean_up(work, i, lowering, (built, stays)).await;
                let failure = self.name_duplicates(&work.steps[i], failure).await;
                let failure = self.name_offenders(phase, failure).await;
                match cleaned {
                    Ok(()) => failure,
                    Err(left) => {
                        failure.unfinished(format!("what its phases have left could not be removed ({left}); the next `up` takes it up"))
                    }
                }
            }
            failure => failure,
        }
    }

    async fn clean_up(&mut self, work: &Work, i: usize, lowering: &Lowering, (built, stays): (bool, bool)) -> Result<(), String> {
        if let Some(index) = &lowering.index
            && lowering.phases.iter().any(|phase| phase.pace == Pace::Outside)
        {
            self.set_session().await.map_err(|error| error.to_string())?;
            // one that was there before is somebody else's
            if built {
                let drop = format!("drop index concurrently if exists {}", index.quoted());
                self.statement(work, drop).await.map_err(|error| error.to_string())?;
            } else {
                self.drop_invalid_of(work, &work.steps[i], lowering).await.map_err(said)?;
            }
        }
        // what a first phase has failed at may be somebody else's, too
        if lowering.undo.is_empty() || !stays {
            return Ok(());
        }
        let undo = short(lowering.undo.clone(), vec![(lowering.table.clone(), LockMode::AccessExclusive)]);
        let place = CursorPlace::of(work, &work.steps[i]);
        let forgets: Vec<String> = lowering.fill.iter().map(|_| cursor::delete(&place)).collect();
        let undone = self.until_locked(work, i, &undo, &forgets).await;
        if undone.is_err() {
            self.roll_back().await.map_err(|error| error.to_string())?;
        }
        undone.map_err(said)
    }

    /// Says it as PostgreSQL would of the statement as it was written, and names a few of the rows that are in the way.
    async fn name_offenders(&mut self, phase: &Phase, failure: Failure) -> Failure {
        let Some(offenders) = &phase.offenders else { return failure };
        let Failure::Operation { place, sql, mut message, mut sqlstate, mut help } = failure else { return failure };
        if let Some("23514" | "23502") = sqlstate.as_deref() {
            if let Some((code, instead)) = &offenders.message {
                (sqlstate, message, help) = (Some((*code).to_owned()), instead.clone(), help_for(code).to_owned());
            }
            // that they can't be named doesn't make the failure another one
            if let Some(query) = offenders.query()
                && let Some(rows) = self.look_briefly("looking for the rows that are in the way", &query).await
            {
                message = format!("{message}: {rows}");
            }
        }
        Failure::Operation { place, sql, message, sqlstate, help }
    }
}

impl Failure {
    /// Whether it is that the connection is gone: then nothing else is known.
    pub(super) fn is_lost(&self) -> bool {
        matches!(self, Self::Engine(Error::ConnectionLost { .. }))
    }

    /// The same of a phase, with what is true in the database now.
    fn unfinished(self, now: String) -> Self {
        match self {
            Self::Transient { place, sql, message, sqlstate } => {
                Self::Unfinished { place, sql, message, sqlstate: Some(sqlstate), now, help: LOCK_HELP.to_owned() }
            }
            Self::Operation { place, sql, message, sqlstate, help } => Self::Unfinished { place, sql, message, sqlstate, now, help },
            failure => failure,
        }
    }
}

fn short(sql: Vec<String>, locks: Vec<(QualifiedName, LockMode)>) -> Phase {
    Phase { pace: Pace::Short, sql, locks, offenders: None }
}

/// Adds to what is said of how a step was done.
fn note(work: &mut Work, i: usize, what: &str) {
    if let Some(lowered) = &mut work.steps[i].lowered {
        lowered.why = format!("{}; {what}", lowered.why);
    }
}

/// What a failure says.
fn said(failure: Failure) -> String {
    match failure {
        Failure::Transient { message, .. } | Failure::Operation { message, .. } | Failure::Unfinished { message, .. } => message,
        failure => failure.into_error(true, false).to_string(),
    }
}
