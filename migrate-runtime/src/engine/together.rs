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

/// How many the first message has: the server has nothing to do until it comes.
const FIRST: usize = 16;

/// The message to be sent next.
#[derive(Debug)]
pub(super) struct Next {
    /// How many migrations it may have.
    window: usize,
    /// What was planned of it while the server was at work. The planner is behind that.
    planned: Option<Ahead>,
}

impl Next {
    pub(super) fn new() -> Self {
        Self { window: FIRST, planned: None }
    }

    /// Something failed, and may fail again: one at a time, for now.
    fn narrow(&mut self) {
        self.window = 1;
    }

    pub(super) fn widen(&mut self) {
        self.window = (self.window * 2).min(LARGEST);
    }
}

/// Migrations that are planned, each as the ones before it will have left the schema.
#[derive(Debug, Default)]
struct Ahead {
    works: Vec<Work>,
    /// The planner before each.
    before: Vec<Planner>,
}

impl Ahead {
    /// Plans as many as can be planned before any of them has run, and sent in one message. Without a backend, because that
    /// is at work, what comes before them hasn't run either.
    async fn gather<B: Backend>(
        mut backend: Option<&mut B>,
        planner: &mut Planner,
        pending: impl Iterator<Item = &'static Migration>,
        is_interrupted: impl Fn(&Migration) -> bool,
        options: &Options,
        window: usize,
    ) -> Result<Self, Failure> {
        let mut ahead = Self::default();
        for migration in pending.take(window) {
            if is_interrupted(migration) || planner.is_unread() {
                break;
            }
            let before = planner.clone();
            let runs = |work: &Work| work.steps.iter().any(|step| step.decision == Decision::Run);
            // whoever goes on from `before` has nothing behind it that hasn't been run
            planner.ahead = backend.is_none() || ahead.works.iter().any(runs);
            let steps = migration.up_steps();
            let mut chunk = planner.chunk(backend.as_deref_mut(), migration, &steps, 1, &|_| None).await?;
            planner.ahead = false;
            // what fails is planned anew
            chunk.steps.iter_mut().for_each(|planned| planned.before = None);
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
            if refused || !B::can_be_sent_ahead(&work) {
                *planner = before;
                break;
            }
            ahead.works.push(work);
            ahead.before.push(before);
            if backend.is_none() {
                // what is at work gets its turn: its answers come in
                tokio::task::yield_now().await;
            }
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
    next: &mut Next,
    reports: &mut Vec<RevisionReport>,
) -> Result<bool, Failure> {
    let foreseen = next.planned.take().unwrap_or_default();
    let ahead = if foreseen.works.len() > 1 {
        foreseen
    } else {
        if let Some(before) = foreseen.before.into_iter().next() {
            *planner = before;
        }
        if next.window < 2 || pending.len() < 2 {
            return Ok(false);
        }
        let checkpoint = planner.clone();
        let ahead = Ahead::gather(Some(&mut *backend), planner, pending.iter().copied(), &is_interrupted, options, next.window).await?;
        if ahead.works.len() < 2 {
            *planner = checkpoint;
            return Ok(false);
        }
        ahead
    };
    let Ahead { works, before } = ahead;
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
    next.widen();
    let later = pending.iter().copied().skip(works.len());
    let (together, later) = tokio::join!(
        backend.execute_together(&works, &mut hears),
        Ahead::gather::<B>(None, planner, later, &is_interrupted, options, next.window)
    );
    drop(span);
    pending.drain(..together.done);
    if let Some(error) = together.lost {
        let attempted = works.iter().take(together.sent).skip(together.done);
        let attempted = attempted.map(|work| {
            let steps: Vec<_> = work.steps.iter().map(|planned| planned.step.clone()).collect();
            Attempted { migration: work.migration, numbers: (1..=steps.len()).collect(), steps }
        });
        return Err(Lost::new(error, attempted.collect(), Direction::Up, began).into());
    }
    if let Some(before) = before.into_iter().nth(together.done) {
        // what failed, or what the message had no room for, is planned again, and so is everything after it
        *planner = before;
    } else {
        next.planned = Some(later?);
    }
    if together.done < together.sent {
        backend.roll_back().await?;
        planner.refresh(backend.snapshot().await?);
        next.narrow();
    }
    Ok(together.done > 0)
}
