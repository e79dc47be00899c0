//! After the connection broke: what became of the migration that was at work.

use super::planner::place;
use super::work::{Direction, Failure};
use super::{Backend, Event, OperationReport, Options, RevisionReport, milliseconds};
use crate::error::Place;
use crate::history::{History, OperationRow, Outcome};
use crate::{Error, Migration, Result};
use migrate_core::operation::Operation;
use migrate_core::step::{Action, Step};
use std::time::Instant;

/// A migration that was at work when the connection broke.
#[derive(Debug)]
pub(super) struct Attempted {
    pub(super) migration: &'static Migration,
    /// Its steps, on the way that it went.
    pub(super) steps: Vec<Step>,
    /// The numbers of those that weren't done before.
    pub(super) numbers: Vec<usize>,
}

/// What was at work when the connection broke.
#[derive(Debug)]
pub(crate) struct Lost {
    /// The migrations that may not be done, in their order.
    attempted: Vec<Attempted>,
    direction: Direction,
    began: Instant,
    /// What the driver said.
    pub(super) reason: String,
    /// The operation that was at work; none while committing.
    pub(super) during: Option<Box<Place>>,
}

impl Lost {
    /// From the error of the connection.
    pub(super) fn new(error: Error, attempted: Vec<Attempted>, direction: Direction, began: Instant) -> Self {
        let (reason, during) = match error {
            Error::ConnectionLost { reason, during, .. } => (reason, during),
            error => (error.what(), None),
        };
        Self { attempted, direction, began, reason, during }
    }

    /// Connects anew, under the guard again, and asks the journal. Where all is done after all, those are the reports, and
    /// the history with them. `before`: what this run had done before that.
    ///
    /// # Errors
    /// [`Error::ConnectionLost`], where it isn't, or nobody can tell: it is not tried again by itself, as whatever broke the
    /// connection may have been what it does.
    pub(super) async fn settle<B: Backend>(
        mut self,
        backend: &mut B,
        command: &str,
        options: &Options,
        before: &[RevisionReport],
    ) -> Result<(Vec<RevisionReport>, History)> {
        options.tell(&Event::Reconnecting { reason: self.reason.clone() });
        let asked = async {
            backend.reconnect().await?;
            let history = backend.guard(command).await?.history;
            let mut reports = Vec::new();
            for attempted in &self.attempted {
                let mut rows = backend.outcomes(attempted.migration.revision).await?;
                rows.retain(|row| row.reverses == (self.direction == Direction::Down));
                if !self.is_done(attempted, &history, &rows) {
                    return Ok((history, reports, Some(rows)));
                }
                reports.push(self.report(attempted, &rows));
            }
            Ok::<_, Error>((history, reports, None))
        };
        let (history, reports, undone) = match asked.await {
            Ok(asked) => asked,
            Err(error) => {
                let now = format!("whether its last transaction was committed is for the journal to say: {}", error.what());
                return Err(self.error(Some(now)));
            }
        };
        for report in &reports {
            options.tell(&Event::Done(report.clone()));
        }
        let Some(rows) = undone else { return Ok((reports, history)) };
        let attempted = &self.attempted[reports.len()];
        let migration = attempted.migration;
        let held = if history.revision(migration.revision).is_some() { self.held(attempted, &rows) } else { 0 };
        let has_batches = has_batches(attempted, &rows);
        self.during = self.during.filter(|place| place.revision == migration.revision);
        let what = if self.direction == Direction::Down { "reversed" } else { "done" };
        let gone = gone(before, &history);
        let now = match (held, has_batches) {
            _ if !gone.is_empty() => format!(
                "the migration was rolled back whole, and the server that answers now was behind: what this run had {what} before that is \
                 lost, too ({}), and the same command does it again",
                gone.join(", ")
            ),
            (0, false) => "the migration was rolled back whole; the database is as it was before it".to_owned(),
            (held, false) => format!("{held} of its operations were {what} and committed before; the rest was rolled back"),
            (held, true) => format!(
                "{held} of its operations were {what} and committed before; the next one goes on behind the batches of it that are committed; \
                 the rest was rolled back"
            ),
        };
        let direction = self.direction;
        let failure = Failure::Lost(Box::new(self));
        // the error says what is true in any case; that it isn't in the journal changes nothing of that
        let _ = backend.record_failure(migration, direction, &failure).await;
        Err(match failure {
            Failure::Lost(lost) => lost.error(Some(now)),
            other => other.into_error(false, false),
        })
    }

    fn is_done(&self, attempted: &Attempted, history: &History, rows: &[OperationRow]) -> bool {
        let revision = attempted.migration.revision;
        match self.direction {
            Direction::Up => history.is_done(revision),
            Direction::Down => history.revision(revision).is_none(),
            // what was attempted was skipped before
            Direction::Replay => rows.iter().any(|row| is_done_late(attempted, row)),
        }
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
    fn held(&self, attempted: &Attempted, rows: &[OperationRow]) -> usize {
        let counts = |row: &&OperationRow| match self.direction {
            Direction::Down => row.outcome == Outcome::Reverted,
            Direction::Up => matches!(row.outcome, Outcome::Applied | Outcome::Satisfied | Outcome::Skipped),
            Direction::Replay => is_done_late(attempted, row),
        };
        rows.iter().filter(counts).count()
    }

    /// What the journal says of it, as the answer to the commit would have said.
    fn report(&self, attempted: &Attempted, rows: &[OperationRow]) -> RevisionReport {
        let migration = attempted.migration;
        let operations = rows.iter().filter(|row| attempted.numbers.contains(&row.number)).filter_map(|row| {
            let place = place(migration, attempted.steps.get(row.number.checked_sub(1)?)?, row.number);
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
            revision: migration.revision.to_owned(),
            name: migration.name.to_owned(),
            direction: self.direction.as_str(),
            operations: operations.collect(),
            duration_ms: milliseconds(self.began.elapsed()),
        }
    }
}

impl From<Lost> for Failure {
    fn from(lost: Lost) -> Self {
        Self::Lost(Box::new(lost))
    }
}

/// The names of those that the history knows nothing of: a standby that takes over may not have had them yet.
fn gone(before: &[RevisionReport], history: &History) -> Vec<String> {
    let is_gone = |report: &&RevisionReport| {
        if report.direction == Direction::Down.as_str() {
            history.revision(&report.revision).is_some()
        } else {
            !history.is_done(&report.revision)
        }
    };
    before.iter().filter(is_gone).map(|report| format!("`{}`", report.name)).collect()
}

/// Whether an operation that was skipped before is done now.
fn is_done_late(attempted: &Attempted, row: &OperationRow) -> bool {
    attempted.numbers.contains(&row.number) && !matches!(row.outcome, Outcome::Skipped | Outcome::Started)
}

/// Whether one was at work that is done in batches, each of which holds. A column is announced only where it is filled in
/// batches.
fn has_batches(attempted: &Attempted, rows: &[OperationRow]) -> bool {
    let has_some = |number: usize| {
        let step = number.checked_sub(1).and_then(|i| attempted.steps.get(i));
        step.is_some_and(|step| matches!(step.action, Action::Change(Operation::Backfill(_) | Operation::AddColumn(_))))
    };
    rows.iter().any(|row| row.outcome == Outcome::Started && attempted.numbers.contains(&row.number) && has_some(row.number))
}
