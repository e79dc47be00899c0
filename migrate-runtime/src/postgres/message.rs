//! What a message consists of: the begin of a transaction, steps, the journal's rows, the commit.

use super::backend::{Postgres, SEARCH_PATH, no_transaction_timeout};
use super::batch::{Batch, CLOCK, FLUSH, Item};
use super::journal;
use crate::Event;
use crate::engine::{Direction, Options, Planned, Work};
use crate::history::RevisionState;
use migrate_core::name::quote_literal;
use migrate_core::operation::Operation;
use migrate_core::step::Action;

/// What the clock of the server is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Timed {
    /// What may take long.
    Steps,
    /// All of the transaction, too. If it may have to wait, it begins with an answer that brings all those before it.
    Transaction,
}

impl Postgres {
    /// What opens a transaction, and what is set in it.
    pub(super) fn begin(&self, work: &Work) -> [String; 2] {
        self.begin_with(work, "")
    }

    fn begin_with(&self, work: &Work, columns: &str) -> [String; 2] {
        let timeout = work.lock_timeout.as_millis();
        // a dump creates functions before the tables that they mention
        let bodies = if work.steps.iter().any(|planned| planned.step.file.is_some()) { "off" } else { "on" };
        [
            "begin isolation level read committed read write".to_owned(),
            format!(
                "select {columns}pg_catalog.set_config('lock_timeout', '{timeout}ms', true), \
                 pg_catalog.set_config('statement_timeout', '0', true), \
                 pg_catalog.set_config('idle_in_transaction_session_timeout', '0', true), \
                 pg_catalog.set_config('check_function_bodies', '{bodies}', true), \
                 pg_catalog.set_config('search_path', {}, true), {}, {}",
                quote_literal(SEARCH_PATH),
                no_transaction_timeout(true),
                self.at_work()
            ),
        ]
    }

    /// Opens a transaction, if none is open.
    pub(super) fn push_begin(&self, batch: &mut Batch, work: &Work, timed: Timed) {
        if self.in_transaction {
            return;
        }
        let (item, columns) = match timed {
            Timed::Steps => (Item::Frame, String::new()),
            // who waits is to be known by its migration
            Timed::Transaction if work.steps.iter().any(|planned| planned.is_about_existing) => {
                (Item::Clock(None), format!("{CLOCK}, {FLUSH}, "))
            }
            Timed::Transaction => (Item::Clock(None), format!("{CLOCK}, ")),
        };
        let [begin, settings] = self.begin_with(work, &columns);
        batch.push(Item::Frame, &begin);
        batch.push(item, &settings);
    }

    /// Adds the journal's rows: of the steps of this segment and of what needed no run before it. Where the work
    /// completes the revision, everything that isn't journalled yet.
    pub(super) fn push_journal(&self, batch: &mut Batch, work: &Work, completes: bool, whole: bool, steps: &[usize], timed: Timed) {
        let upto = journal_limit(work, steps, completes);
        let outcomes: Vec<_> = work.outcomes().filter(|(planned, ..)| planned.number <= upto).collect();
        let sql: Vec<String> = outcomes.iter().map(|(planned, ..)| planned.sql.join(";\n")).collect();
        let rows: Vec<_> = outcomes
            .iter()
            .zip(&sql)
            .map(|((planned, outcome, evidence), sql)| journal::Row { planned, outcome: *outcome, evidence, sqlstate: None, sql })
            .collect();
        let rows = (!rows.is_empty()).then(|| journal::record(self.run_id, work.migration.revision, work.direction, &rows));
        if (work.direction, completes) == (Direction::Up, true) {
            let among_others = timed == Timed::Transaction;
            let complete = journal::complete(self.run_id, work.migration, rows, among_others);
            return if among_others {
                batch.push(Item::Clock(None), &format!("{complete} returning {CLOCK}"));
            } else {
                batch.push(Item::Journal, &complete);
            };
        }
        if let Some(rows) = rows {
            batch.push(Item::Journal, &rows);
        }
        match (work.direction, completes) {
            (Direction::Up | Direction::Down, false) if !whole => {
                batch.push(Item::Journal, &journal::record_revision(self.run_id, work.migration, RevisionState::Started));
            }
            (Direction::Down, true) => batch.push(Item::Journal, &journal::forget_revision(self.run_id, work.migration)),
            _ => {}
        }
    }

    /// Adds what was measured before.
    pub(super) fn push_measured(&self, batch: &mut Batch) {
        for sql in journal::record_measured(self.run_id, &self.measured) {
            batch.push(Item::Journal, &sql);
        }
    }
}

/// Adds a step's statements, between two looks at the clock if they may take long.
pub(super) fn push_step(batch: &mut Batch, work: &Work, i: usize) {
    let planned = &work.steps[i];
    let timed = takes_time(planned);
    if timed {
        batch.push_clock_and_flush(i);
    }
    for sql in &planned.sql {
        batch.push(Item::Step(i), sql);
    }
    if timed {
        batch.push_clock(i);
    }
}

/// Up to which number the steps are accounted for once `steps` have run.
fn journal_limit(work: &Work, steps: &[usize], completes: bool) -> usize {
    if completes {
        return usize::MAX;
    }
    // without steps it is the end of a transaction that others have opened: they are in the journal
    steps.last().map_or(0, |&i| work.steps[i].number)
}

/// What a message has journalled isn't journalled again.
pub(super) fn mark_journalled(work: &mut Work, steps: &[usize], completes: bool) {
    let upto = journal_limit(work, steps, completes);
    for step in work.steps.iter_mut().filter(|step| step.number <= upto) {
        step.journalled = true;
    }
}

/// Tells that a step's last statement has been answered. It holds once the transaction is committed.
pub(super) fn tell_progress(options: &Options, work: &Work, item: Item) {
    if let Item::Step(i) = item {
        options.tell(&Event::Progress { revision: work.migration.revision.to_owned(), number: work.steps[i].number });
    }
}

/// Whether a step may take long enough for somebody to want to know: the others change the catalog only.
fn takes_time(planned: &Planned) -> bool {
    let effects = &planned.effects;
    let reads = !effects.rewrites.is_empty() || !effects.scans.is_empty();
    matches!(planned.step.action, Action::Change(Operation::Opaque(_))) || (reads && planned.is_about_existing)
}
