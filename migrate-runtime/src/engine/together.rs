//! Several migrations in one message: how far one has come is known without an answer, as long as nothing fails.

use super::lost::{Attempted, Lost};
use super::planner::{Decision, Planner};
use super::up::{refusal, revision_span, tell_operations, tell_revision};
use super::work::{Direction, Failure, Work};
use super::{Backend, Course, Event, Options, RevisionReport, milliseconds};
use crate::Migration;
use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

/// How many migrations may be sent in one message.
const LARGEST: usize = 64;

/// How many migrations to send next.
#[derive(Clone, Copy, Debug)]
pub(super) struct Window(usize);

impl Window {
    pub(super) fn new() -> Self {
        Self(LARGEST)
    }

    /// Something failed, and may fail again: one at a time, for now.
    fn narrow(&mut self) {
        self.0 = 1;
    }

    pub(super) fn widen(&mut self) {
        self.0 = (self.0 * 2).min(LARGEST);
    }
}

/// Migrations that are planned, each as the ones before it will have left the schema.
struct Ahead {
    works: Vec<Work>,
    /// The planner before each.
    before: Vec<Planner>,
}

impl Ahead {
    /// Plans as many as can be planned before any of them has run, and sent in one message.
    async fn gather<B: Backend>(
        backend: &mut B,
        planner: &mut Planner,
        pending: &VecDeque<&'static Migration>,
        is_interrupted: impl Fn(&Migration) -> bool,
        options: &Options,
        window: Window,
    ) -> Result<Self, Failure> {
        let mut ahead = Self { works: Vec::new(), before: Vec::new() };
        for migration in pending.iter().copied().take(window.0) {
            if is_interrupted(migration) || planner.is_unread() {
                break;
            }
            let before = planner.clone();
            // whoever goes on from `before` has nothing behind it that hasn't been run
            planner.ahead = ahead.works.iter().any(|work: &Work| work.steps.iter().any(|step| step.decision == Decision::Run));
            let steps = migration.up_steps();
            let chunk = planner.chunk(backend, migration, &steps, 1, &|_| None).await?;
            planner.ahead = false;
            let durations = vec![Duration::ZERO; chunk.steps.len()];
            let refused = chunk.steps.iter().any(|planned| refusal(planned).is_some());
            let work = Work {
                migration,
                direction: Direction::Up,
                steps: chunk.steps,
                completes: !chunk.cut,
                drops_later: chunk.drops_later,
                durations,
                lock_timeout: options.lock_timeout,
            };
            if refused || !backend.can_be_sent_ahead(&work) {
                *planner = before;
                break;
            }
            ahead.works.push(work);
            ahead.before.push(before);
        }
        Ok(ahead)
    }
}

/// Does as many of the pending migrations as one message can take, if that is more than one, and takes them away from
/// those that are pending. Tells whether any is done; if none is, the next one has to be done alone.
pub(super) async fn send_ahead<B: Backend>(
    backend: &mut B,
    planner: &mut Planner,
    pending: &mut VecDeque<&'static Migration>,
    is_interrupted: impl Fn(&Migration) -> bool,
    options: &Options,
    window: &mut Window,
    reports: &mut Vec<RevisionReport>,
) -> Result<bool, Failure> {
    if window.0 < 2 || pending.len() < 2 {
        return Ok(false);
    }
    let checkpoint = planner.clone();
    let Ahead { works, before } = Ahead::gather(backend, planner, pending, is_interrupted, options, *window).await?;
    if works.len() < 2 {
        *planner = checkpoint;
        return Ok(false);
    }
    let (began, dialect) = (Instant::now(), backend.dialect());
    let mut span = tracing::Span::none();
    let mut hears = |work: &Work, course: Course<'_>| match course {
        Course::Begun => {
            tell_revision(options, work.migration, Direction::Up, work.steps.len());
            span = revision_span(dialect, work.migration, Direction::Up, work.steps.len());
        }
        Course::Committed { durations, took } => {
            let mut operations = BTreeMap::new();
            span.in_scope(|| tell_operations(options, work, durations, &mut operations));
            let report = RevisionReport {
                revision: work.migration.revision.to_owned(),
                name: work.migration.name.to_owned(),
                direction: Direction::Up.as_str(),
                operations: operations.into_values().collect(),
                duration_ms: milliseconds(took),
            };
            options.tell(&Event::Done(report.clone()));
            reports.push(report);
            span = tracing::Span::none();
        }
    };
    let together = backend.execute_together(&works, &mut hears).await;
    drop(span);
    pending.drain(..together.done);
    if let Some(error) = together.lost {
        let attempted = works.iter().skip(together.done);
        let attempted = attempted.map(|work| {
            let steps: Vec<_> = work.steps.iter().map(|planned| planned.step.clone()).collect();
            Attempted { migration: work.migration, numbers: (1..=steps.len()).collect(), steps }
        });
        return Err(Lost::new(error, attempted.collect(), Direction::Up, began).into());
    }
    let next = before.into_iter().nth(together.done);
    if together.done < together.sent {
        backend.roll_back().await?;
        if let Some(before) = next {
            *planner = before;
        }
        planner.refresh(backend.snapshot().await?);
        window.narrow();
    } else {
        // what the message had no room for is planned again
        if let Some(before) = next {
            *planner = before;
        }
        window.widen();
    }
    Ok(together.done > 0)
}
