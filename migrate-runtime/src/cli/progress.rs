//! What is told while the engine works: on stderr, but for the line of every revision that is done.

use super::output::{Format, Output, say};
use super::text;
use crate::{BackfillProgress, Event, Observer, RevisionReport};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::collections::BTreeSet;
use std::io::IsTerminal as _;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// While operations are done one after the other.
const OPERATIONS: &str = "{spinner} {prefix} {pos}/{len} operations {elapsed} {wide_msg}";

/// While one is done in batches, of a table that the server knows the size of, and of another.
const ROWS: &str = "{spinner} {prefix} {bar:20} {human_pos}/{human_len} rows {elapsed} {wide_msg}";
const UNCOUNTED_ROWS: &str = "{spinner} {prefix} {human_pos} rows {elapsed} {wide_msg}";

fn set_style(bar: &ProgressBar, template: &str) {
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
}

/// Listens to the engine.
#[derive(Debug)]
pub(super) struct Progress {
    bar: ProgressBar,
    quiet: bool,
    output: Arc<Output>,
    heard: Mutex<Heard>,
}

#[derive(Debug, Default)]
struct Heard {
    holder: String,
    /// Why a batch had to wait.
    delayed: String,
    /// The processes that were in the way, as far as it was said.
    blockers: BTreeSet<i32>,
    /// What was said of an index that is being built.
    building: String,
    /// How many operations the revision has, and whether the bar counts rows instead.
    operations: usize,
    counts_rows: bool,
    done: Vec<RevisionReport>,
}

impl Progress {
    /// `draw`: whether a bar is wanted. It is drawn only on a terminal.
    pub(super) fn new(output: Arc<Output>, draw: bool, quiet: bool) -> Arc<Self> {
        let visible = draw && !quiet && std::io::stderr().is_terminal();
        let bar = if visible { ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::stderr()) } else { ProgressBar::hidden() };
        set_style(&bar, OPERATIONS);
        Arc::new(Self { bar, quiet, output, heard: Mutex::default() })
    }

    pub(super) fn observer(self: &Arc<Self>) -> Observer {
        let progress = Arc::clone(self);
        Arc::new(move |event| progress.hear(event))
    }

    /// The revisions that were done so far.
    pub(super) fn done(&self) -> Vec<RevisionReport> {
        self.heard().done.clone()
    }

    /// Takes the bar away.
    pub(super) fn finish(&self) {
        self.bar.disable_steady_tick();
        self.bar.finish_and_clear();
    }

    fn heard(&self) -> std::sync::MutexGuard<'_, Heard> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, line: &str) {
        if !self.quiet {
            self.bar.suspend(|| say(line));
        }
    }

    /// Operations are accounted for after they were run: the bar never goes back but for another attempt.
    fn advance(&self, number: usize) {
        let mut heard = self.heard();
        if std::mem::take(&mut heard.counts_rows) {
            set_style(&self.bar, OPERATIONS);
            self.bar.set_length(u64::try_from(heard.operations).unwrap_or(u64::MAX));
            self.bar.set_position(0);
        }
        drop(heard);
        let number = u64::try_from(number).unwrap_or(u64::MAX);
        self.bar.set_position(self.bar.position().max(number));
    }

    fn advance_rows(&self, progress: &BackfillProgress) {
        self.heard().counts_rows = true;
        if progress.took_ms.is_none() && progress.resumed {
            self.note(&format!("resuming: operation {} goes on behind {} rows", progress.number, progress.passed));
        }
        match progress.estimate {
            Some(estimate) => {
                set_style(&self.bar, ROWS);
                self.bar.set_length(estimate);
            }
            None => set_style(&self.bar, UNCOUNTED_ROWS),
        }
        self.bar.set_position(progress.passed);
        self.bar.set_message(text::pace(progress));
    }

    fn hear(&self, event: &Event) {
        if self.output.format == Format::Json && !self.quiet {
            // an event is plain data: there is nothing in it that can't be written
            let line = serde_json::to_string(event).unwrap_or_default();
            self.bar.suspend(|| say(&line));
        } else {
            self.tell(event);
        }
        if let Event::Done(report) = event {
            self.heard().done.push(report.clone());
        }
    }

    fn tell(&self, event: &Event) {
        match event {
            Event::WaitingForLock { holder } => {
                // told at every look: said once for each holder
                let new = std::mem::replace(&mut self.heard().holder, holder.clone()) != *holder;
                if new {
                    self.note(&format!("waiting: another migrator is at work: {holder}"));
                }
            }
            Event::Blocked { by } => {
                // told at every look: said once for each of them
                let new: Vec<_> = by.iter().filter(|blocker| self.heard().blockers.insert(blocker.pid)).collect();
                for blocker in new {
                    self.note(&format!("waiting for a lock: {blocker}"));
                }
            }
            Event::Reconnecting { reason } => {
                self.note(&format!("reconnecting: the connection to the database was lost: {reason}"));
            }
            Event::Retrying { reason, pause_ms } => {
                let pause = text::seconds(*pause_ms);
                self.note(&format!("retrying: {reason}; everything of this migration was rolled back, and is tried again in {pause}"));
                self.bar.set_position(0);
            }
            Event::RetryingPhase { reason, pause_ms } => {
                self.note(&format!(
                    "retrying: {reason}; the phases before hold, and this one is tried again in {}",
                    text::seconds(*pause_ms)
                ));
            }
            Event::Building(building) => {
                let index = building.index.as_deref().unwrap_or("an index");
                let what = format!("{index} on {}: {}", building.table, building.phase);
                let percent = building.percent().map(|percent| format!(", {percent} % of {} {}", building.total, building.unit));
                self.bar.set_message(format!("{what}{}", percent.unwrap_or_default()));
                // told at every look: without a bar, said once for each part of the work
                if self.bar.is_hidden() && std::mem::replace(&mut self.heard().building, what.clone()) != what {
                    self.note(&what);
                }
            }
            Event::Leftover { index } => self.note(&format!("dropping {index}, which an interrupted statement has left behind")),
            Event::Phase { number, phase, phases, sql, .. } => {
                let sql = sql.first().map(String::as_str).unwrap_or_default();
                self.note(&format!("operation {number}, phase {phase} of {phases}: {sql}"));
            }
            Event::Backfill(progress) => self.advance_rows(progress),
            Event::BatchDelayed { reason, pause_ms, .. } => {
                let line = format!("waiting: {reason}; the batch is tried again");
                // told as often as it is tried: said once for each reason
                let new = std::mem::replace(&mut self.heard().delayed, reason.clone()) != *reason;
                if new {
                    self.note(&format!("{line} in {}", text::seconds(*pause_ms)));
                }
            }
            Event::Revision { name, operations, direction, .. } => {
                {
                    let mut heard = self.heard();
                    (heard.operations, heard.counts_rows) = (*operations, false);
                }
                set_style(&self.bar, OPERATIONS);
                self.bar.set_length(u64::try_from(*operations).unwrap_or(u64::MAX));
                self.bar.set_prefix(format!("{direction} {name}"));
                self.bar.set_message("");
                self.bar.reset();
                self.bar.enable_steady_tick(Duration::from_millis(120));
            }
            Event::Progress { number, .. } => self.advance(*number),
            Event::Operation(operation) => {
                self.advance(operation.number);
                self.bar.set_message(operation.operation.clone());
            }
            Event::Done(report) => {
                self.finish();
                self.output.text(&text::revision(report));
            }
        }
    }
}
