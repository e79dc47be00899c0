//! The work of several migrations in one message, each in a transaction of its own.
//!
//! Nothing in it has a savepoint: what fails is rolled back with its transaction, and is done alone after that, with them.

use super::backend::Postgres;
use super::batch::{Batch, Item};
use super::blockers::watched;
use super::codes::lost;
use super::execute::is_sql;
use super::message::{Timed, push_step, tell_progress};
use super::segments::{Segment, segments};
use crate::Error;
use crate::engine::{Course, Decision, Hears, Open, Together, Work};
use std::time::Duration;

/// How long a message may be, in bytes: the server keeps all of it, and what it has parsed, until its end.
const LONGEST: usize = 1 << 20;

/// Whether the work can be sent before that of another migration has been answered.
pub(super) fn can_be_sent_ahead(work: &Work) -> bool {
    let runs = work.steps.iter().filter(|planned| planned.decision == Decision::Run);
    let plain = runs.into_iter().all(|planned| is_sql(planned) && !planned.is_outside());
    work.completes && plain && segments(&work.steps, true, &mut Open::default()).len() <= 1
}

impl Postgres {
    pub(super) async fn run_together(&mut self, works: &[Work], told: Hears<'_>) -> Together {
        let names: Vec<&str> = works.iter().map(|work| work.migration.name).collect();
        let mut batch = Batch::of(&names);
        let mut steps = Vec::new();
        for (k, work) in works.iter().enumerate() {
            if batch.len() > LONGEST {
                break;
            }
            let inside = match segments(&work.steps, true, &mut Open::default()).pop() {
                Some(Segment::Inside(inside)) => inside,
                _ => Vec::new(),
            };
            batch.work = k;
            self.push_begin(&mut batch, work, Timed::Transaction);
            for &i in &inside {
                push_step(&mut batch, work, i);
            }
            self.push_journal(&mut batch, work, true, true, &inside, Timed::Transaction);
            if k == 0 {
                self.push_measured(&mut batch);
            }
            batch.push(Item::Commit, "commit");
            steps.push(inside);
        }
        let pushed = self.measured.len();
        let mut durations: Vec<Vec<Duration>> = works.iter().map(|work| vec![Duration::ZERO; work.steps.len()]).collect();
        let (mut done, mut whole) = (0, Duration::ZERO);
        let Self { connection, guard, options, .. } = self;
        let mut hears = |k: usize, item: Item, took: Option<Duration>| {
            tell_progress(options, &works[k], item);
            match (item, took) {
                (Item::Clock(Some(i)), Some(took)) => durations[k][i] += took,
                (Item::Clock(None), None) => told(&works[k], Course::Begun),
                (Item::Clock(None), Some(took)) => whole = took,
                (Item::Commit, _) => {
                    done = k + 1;
                    told(&works[k], Course::Committed { durations: &durations[k], took: whole });
                }
                _ => {}
            }
        };
        let (sent, waits) = watched(guard.as_mut(), options, batch.send(connection, &mut hears)).await;
        if let Some(at) = works.get(done).or(works.last()) {
            self.note_waits(at, waits);
        }
        if done > 0 {
            self.measured.drain(..pushed);
        }
        for ((work, steps), durations) in works.iter().zip(&steps).zip(&durations).take(done) {
            self.note_durations(work, steps, durations);
        }
        let failed = sent.failed.map(|(k, item, error)| {
            let reason = lost(&error).or_else(|| Self::guard_is_gone(&error))?;
            let lost = Error::lost(reason);
            Some(if let Item::Step(i) = item { lost.at(&works[k].steps[i].place) } else { lost })
        });
        Together { sent: steps.len(), done, lost: failed.flatten() }
    }
}
