//! After the connection broke: what became of the migration that was at work.

use super::planner::place;
use super::work::{Direction, Failure};
use super::{Backend, Event, OperationReport, Options, RevisionReport, milliseconds};
use crate::error::Place;
use crate::history::{History, OperationRow, Outcome};
use crate::{Error, Migration, Result};
use migrate_core::operation::Operation;
use migrate_core::step::Action;
use std::time::Instant;

/// A migration that was at work when the connection broke.
#[derive(Debug)]
pub(crate) struct Lost {
    pub(super) migration: &'static Migration,
    pub(super) direction: Direction,
    pub(super) began: Instant,
    /// What the driver said.
    pub(super) reason: String,
    /// The operation that was at work; none while committing.
    pub(super) during: Option<Box<Place>>,
    /// The numbers of the operations that weren't done before.
    pub(super) attempted: Vec<usize>,
}

impl Lost {
    /// Connects anew, under the guard again, and asks the journal. Where the migration is done after all, that is its
    /// report, and the history with it.
    ///
    /// # Errors
    /// [`Error::ConnectionLost`], where it isn't, or nobody can tell: it is not tried again by itself, as whatever broke the
    /// connection may have been what it does.
    pub(super) async fn settle<B: Backend>(self, backend: &mut B, command: &str, options: &Options) -> Result<(RevisionReport, History)> {
        options.tell(&Event::Reconnecting { reason: self.reason.clone() });
        let unknown = |error: Error| format!("whether its last transaction was committed is for the journal to say: {}", error.what());
        let asked = async {
            backend.reconnect().await?;
            let history = backend.guard(command).await?.history;
            let rows = backend.outcomes(self.migration.revision).await?;
            Ok((history, rows))
        };
        let (history, rows) = match asked.await {
            Ok(asked) => asked,
            Err(error) => return Err(self.error(Some(unknown(error)))),
        };
        let revision = history.revision(self.migration.revision);
        let is_done = match self.direction {
            Direction::Up => history.is_done(self.migration.revision),
            Direction::Down => revision.is_none(),
            // what was attempted was skipped before
            Direction::Replay => rows.iter().any(|row| self.attempted.contains(&row.number) && row.outcome != Outcome::Skipped),
        };
        if is_done {
            let report = self.report(&rows);
            options.tell(&Event::Done(report.clone()));
            return Ok((report, history));
        }
        let held = if revision.is_some() { self.held(&rows) } else { 0 };
        let what = if self.direction == Direction::Down { "reversed" } else { "done" };
        let now = match (held, self.has_batches(&rows)) {
            (0, false) => "the migration was rolled back whole; the database is as it was before it".to_owned(),
            (held, false) => format!("{held} of its operations were {what} and committed before; the rest was rolled back"),
            (held, true) => format!(
                "{held} of its operations were {what} and committed before, and so were batches of the next one, behind which it goes on; \
                 the rest was rolled back"
            ),
        };
        let (migration, direction) = (self.migration, self.direction);
        let failure = Failure::Lost(Box::new(self));
        // the error says what is true in any case; that it isn't in the journal changes nothing of that
        let _ = backend.record_failure(migration, direction, &failure).await;
        Err(match failure {
            Failure::Lost(lost) => lost.error(Some(now)),
            other => other.into_error(false, false),
        })
    }

    /// As the error that a person sees. `now`: what is known to be true in the database.
    pub(super) fn error(self, now: Option<String>) -> Error {
        match (Error::lost(self.reason), now) {
            (Error::ConnectionLost { reason, now: unknown, .. }, now) => {
                Error::ConnectionLost { reason, during: self.during, now: now.unwrap_or(unknown) }
            }
            (error, _) => error,
        }
    }

    /// How many operations earlier segments have committed.
    fn held(&self, rows: &[OperationRow]) -> usize {
        let counts = |outcome: Outcome| match self.direction {
            Direction::Down => outcome == Outcome::Reverted,
            Direction::Up | Direction::Replay => matches!(outcome, Outcome::Applied | Outcome::Satisfied | Outcome::Skipped),
        };
        rows.iter().filter(|row| counts(row.outcome)).count()
    }

    /// Whether one was at work that is done in batches, each of which holds.
    fn has_batches(&self, rows: &[OperationRow]) -> bool {
        let steps = match self.direction {
            Direction::Down => self.migration.down_steps().unwrap_or_default(),
            Direction::Up | Direction::Replay => self.migration.up_steps(),
        };
        let is_backfill = |number: usize| {
            let step = number.checked_sub(1).and_then(|i| steps.get(i));
            step.is_some_and(|step| matches!(step.action, Action::Change(Operation::Backfill(_))))
        };
        rows.iter().any(|row| row.outcome == Outcome::Started && is_backfill(row.number))
    }

    /// What the journal says of it, as the answer to the commit would have said.
    fn report(&self, rows: &[OperationRow]) -> RevisionReport {
        let steps = self.migration.up_steps();
        let operations = rows.iter().filter(|row| self.attempted.contains(&row.number)).filter_map(|row| {
            let place = place(self.migration, steps.get(row.number.checked_sub(1)?)?, row.number);
            Some(OperationReport {
                number: row.number,
                operation: row.operation.clone(),
                outcome: row.outcome,
                evidence: row.evidence.clone(),
                file: place.file,
                line: place.line,
                duration_ms: 0,
            })
        });
        RevisionReport {
            revision: self.migration.revision.to_owned(),
            name: self.migration.name.to_owned(),
            direction: self.direction.as_str(),
            operations: operations.collect(),
            duration_ms: milliseconds(self.began.elapsed()),
        }
    }
}
