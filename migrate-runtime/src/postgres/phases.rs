//! Steps in phases: each phase holds for itself, and an attempt that is interrupted is taken up by the next one.

use super::backend::Postgres;
use super::batch::{Batch, Item};
use super::blockers::watched;
use super::codes::{is_absent, is_duplicate};
use super::journal;
use super::message::Timed;
use crate::engine::{Backend as _, Decision, Event, Failure, LOCK_HELP, Planned, Work, milliseconds};
use migrate_core::lowering::{Lowering, Pace, Phase, lower};
use migrate_core::step::Action;
use std::time::{Duration, Instant};

impl Postgres {
    /// Runs the phases that are left of a step; the last one records it. A decision: somebody else has done it meanwhile.
    pub(super) async fn run_phases(&mut self, work: &Work, i: usize) -> Result<Option<Decision>, Failure> {
        let planned = work.steps[i].clone();
        // what was planned may have waited for somebody who has gone on with it
        let live = self.snapshot_here().await?;
        let now = if let Action::Change(operation) = &planned.step.action { lower(operation, &live) } else { None };
        let Some(lowering) = now else {
            let message = "somebody else has changed the table in the meantime".to_owned();
            let (place, sql) = (planned.place.clone(), planned.sql.join(";\n"));
            let changed = Failure::Operation { place, sql, message, sqlstate: None, help: "run `up` again".to_owned() };
            return self.look_again(&planned).await?.map_or(Err(changed), |decision| Ok(Some(decision)));
        };
        let row = planned.outcome(work.direction).map(|(outcome, evidence)| {
            let sql = planned.sql.join(";\n");
            let row = journal::Row { planned: &planned, outcome, evidence: &evidence, sqlstate: None, sql: &sql };
            journal::record(self.run_id, work.migration.revision, work.direction, &[row])
        });
        let phases = lowering.phases.len();
        let mut built = false;
        for (n, phase) in lowering.phases.iter().enumerate() {
            let (revision, number) = (work.migration.revision.to_owned(), planned.number);
            self.options.tell(&Event::Phase { revision, number, phase: n + 1, phases, sql: phase.sql.clone() });
            let record = row.as_deref().filter(|_| n + 1 == phases);
            let done = match phase.pace {
                Pace::Outside => self.build(work, &planned, &lowering, phase).await.map(|()| built = true),
                Pace::Short | Pace::Long => self.until_locked(work, i, phase, record).await,
            };
            if let Err(failure) = done {
                self.roll_back().await?;
                if let Failure::Operation { sqlstate: Some(code), .. } = &failure
                    && (is_absent(code) || is_duplicate(code))
                    && let Some(decision) = self.look_again(&planned).await?
                {
                    return Ok(Some(decision));
                }
                let failure = self.name_duplicates(&planned, failure).await;
                let stays = n > 0 || lowering.is_begun;
                return Err(self.give_up(work, i, (&lowering, phase), failure, built, stays).await);
            }
        }
        self.verify(&planned).await?;
        Ok(None)
    }

    /// Builds the index of a constraint that is to be.
    async fn build(&mut self, work: &Work, planned: &Planned, lowering: &Lowering, phase: &Phase) -> Result<(), Failure> {
        self.set_session().await?;
        if let Some(index) = &lowering.index {
            self.drop_invalid(index).await?;
        }
        for sql in &phase.sql {
            if let Err(error) = self.statement(work, sql.clone()).await {
                return Err(self.failed(planned, error));
            }
        }
        Ok(())
    }

    /// Runs a phase in a transaction of its own. When a lock isn't free it is rolled back and tried anew: what the phases
    /// before it have done holds.
    async fn until_locked(&mut self, work: &Work, i: usize, phase: &Phase, record: Option<&str>) -> Result<(), Failure> {
        let began = Instant::now();
        let mut pause = Duration::from_millis(100);
        loop {
            let Err(failure) = self.once(work, i, phase, record).await else { return Ok(()) };
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

    async fn once(&mut self, work: &Work, i: usize, phase: &Phase, record: Option<&str>) -> Result<(), Failure> {
        let mut batch = Batch::of(&[work.migration.name]);
        self.push_begin(&mut batch, work, Timed::Steps);
        if phase.pace == Pace::Long {
            batch.push(Item::Frame, "select pg_catalog.set_config('lock_timeout', '0', true)");
        }
        for sql in &phase.sql {
            batch.push(Item::Step(i), sql);
        }
        if let Some(record) = record {
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
        match failure {
            Failure::Transient { place, sql, message, sqlstate } if stays => {
                let now = "the phases before it hold, and the next `up` goes on from there".to_owned();
                Failure::Unfinished { place, sql, message, sqlstate: Some(sqlstate), now, help: LOCK_HELP.to_owned() }
            }
            Failure::Operation { place, sql, message, sqlstate, help } => {
                let (message, sqlstate) = self.name_offenders(phase, message, sqlstate).await;
                let help = sqlstate.as_deref().map_or(help, |code| super::backend::help_for(code).to_owned());
                match self.clean_up(work, i, lowering, (built, stays)).await {
                    Ok(()) => Failure::Operation { place, sql, message, sqlstate, help },
                    Err(left) => {
                        let now = format!("what its phases have left could not be removed ({left}); the next `up` takes it up");
                        Failure::Unfinished { place, sql, message, sqlstate, now, help }
                    }
                }
            }
            failure => failure,
        }
    }

    async fn clean_up(&mut self, work: &Work, i: usize, lowering: &Lowering, (built, stays): (bool, bool)) -> Result<(), String> {
        let message = |failure: Failure| match failure {
            Failure::Transient { message, .. } | Failure::Operation { message, .. } => message,
            failure => failure.into_error(true, false).to_string(),
        };
        if let Some(index) = &lowering.index
            && lowering.phases.iter().any(|phase| phase.pace == Pace::Outside)
        {
            self.set_session().await.map_err(|error| error.to_string())?;
            // one that was there before is somebody else's
            if built {
                let drop = format!("drop index concurrently if exists {}", index.quoted());
                self.raw(&drop).await.map_err(|error| error.to_string())?;
            } else {
                self.drop_invalid(index).await.map_err(|error| error.to_string())?;
            }
        }
        // what a first phase has failed at may be somebody else's, too
        if lowering.undo.is_empty() || !stays {
            return Ok(());
        }
        let undo = Phase { pace: Pace::Short, sql: lowering.undo.clone(), locks: Vec::new(), offenders: None };
        let undone = self.until_locked(work, i, &undo, None).await;
        if undone.is_err() {
            self.roll_back().await.map_err(|error| error.to_string())?;
        }
        undone.map_err(message)
    }

    /// Says it as PostgreSQL would of the statement as it was written, and names a few of the rows that are in the way.
    async fn name_offenders(&mut self, phase: &Phase, message: String, sqlstate: Option<String>) -> (String, Option<String>) {
        let (Some(offenders), Some("23514")) = (&phase.offenders, sqlstate.as_deref()) else { return (message, sqlstate) };
        let (code, mut message) = match &offenders.message {
            Some((code, message)) => ((*code).to_owned(), message.clone()),
            None => ("23514".to_owned(), message),
        };
        if let Some(query) = offenders.query() {
            // that they can't be named doesn't make the failure another one
            let named = Self::text(&mut self.connection, "looking for the rows that are in the way", &query).await;
            if let Ok(Some(rows)) = named {
                message = format!("{message}: {rows}");
            }
        }
        (message, Some(code))
    }
}
