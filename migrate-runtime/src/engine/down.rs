//! `down`: reverses what `up` did on this database, and nothing else.

use super::lowering::Remains;
use super::planner::Planner;
use super::up::Attempt;
use super::work::{Direction, Failure};
use super::{Backend, CursorPlace, Event, Options, RevisionReport, Summary};
use crate::history::{History, Outcome, RevisionState, resolve};
use crate::migration::Down;
use crate::{Error, Migration, Migrations, Result};
use migrate_core::name::{Name, QualifiedName};
use migrate_core::operation::{Operate, Operation};
use migrate_core::ops::Backfill;
use migrate_core::schema::{ObjectKey, Schema};
use migrate_core::step::{Action, Step};
use std::collections::{BTreeMap, BTreeSet};

/// How far to go back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DownTo {
    /// That many revisions.
    Steps(usize),
    /// To this revision, which stays.
    Revision(String),
    /// All the way.
    Base,
}

/// Reverses revisions, the last first.
pub(crate) async fn down<B: Backend>(backend: &mut B, chain: Migrations, to: &DownTo, options: &Options) -> Result<Summary> {
    backend.history().await?.validate(chain)?;
    let mut history = backend.guard("down").await?.history;
    let mut left = to.clone();
    let mut reports = Vec::new();
    let result = loop {
        let before = reports.len();
        match Box::pin(guarded(backend, chain, &left, options, &history, &mut reports)).await {
            Err(Failure::Overtaken) => match backend.history().await {
                Ok(now) => history = now,
                Err(error) => break Err(error),
            },
            Err(Failure::Lost(lost)) => match lost.settle(backend, "down", options, &reports).await {
                Ok((settled, now)) => {
                    reports.extend(settled);
                    history = now;
                }
                Err(error) => break Err(error),
            },
            result => break result.map_err(|failure| failure.into_error(false, true)),
        }
        if let DownTo::Steps(steps) = &mut left {
            *steps = steps.saturating_sub(reports.len() - before);
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
    to: &DownTo,
    options: &Options,
    history: &History,
    reports: &mut Vec<RevisionReport>,
) -> Result<(), Failure> {
    history.validate(chain)?;
    let targets = targets(chain, to, history)?;
    if let Some(migration) = targets.iter().find(|migration| matches!(migration.down, Down::Irreversible(_)))
        && let Down::Irreversible(reason) = migration.down
    {
        return Err(Error::Irreversible {
            name: migration.name.to_owned(),
            reason: reason.to_owned(),
            help: "go back only as far as the revision after it, or restore a backup".to_owned(),
        }
        .into());
    }
    for migration in &targets {
        not_half_filled(backend, migration).await?;
    }
    for migration in targets {
        if history.revision(migration.revision).is_some_and(|row| row.state == RevisionState::Stamped) {
            backend.forget_revision(migration).await?;
            let report = RevisionReport {
                revision: migration.revision.to_owned(),
                name: migration.name.to_owned(),
                direction: Direction::Down.as_str(),
                operations: Vec::new(),
                duration_ms: 0,
            };
            options.tell(&Event::Done(report.clone()));
            reports.push(report);
            continue;
        }
        let (back, there): (Vec<_>, Vec<_>) = backend.outcomes(migration.revision).await?.into_iter().partition(|row| row.reverses);
        let outcomes: BTreeMap<usize, Outcome> = there.into_iter().map(|row| (row.number, row.outcome)).collect();
        let live = backend.snapshot().await?;
        let mut planner = Planner::new(live, backend.dialect());
        for earlier in chain.migrations.iter().take_while(|other| other.revision != migration.revision) {
            if history.revision(earlier.revision).is_some() {
                let recorded = history.outcomes(earlier.revision);
                let (stamped, done) = (history.is_stamped(earlier.revision), history.is_done(earlier.revision));
                for (i, step) in earlier.up_steps().iter().enumerate() {
                    let outcome = recorded.get(&(i + 1)).map(|row| row.outcome);
                    if stamped {
                        planner.replay_stamped(earlier, step);
                    } else if done || outcome.is_some() || matches!(step.action, Action::Declare { .. }) {
                        planner.replay_done(earlier, step, outcome == Some(Outcome::Skipped));
                    }
                }
            }
        }
        let steps = reverse_steps(migration, &mut planner, &outcomes)?;
        let attempt = Attempt { migration, steps: &steps, direction: Direction::Down, options };
        // an earlier attempt may have committed a part; what it has reversed isn't reversed again
        let half = history.is_half_reversed(migration.revision);
        let reversed = back.into_iter().filter(|row| half && row.outcome == Outcome::Reverted);
        let reversed: BTreeMap<usize, String> = reversed.map(|row| (row.number, row.operation)).collect();
        let done = |number: usize| {
            let step = number.checked_sub(1).and_then(|i| steps.get(i))?;
            reversed.get(&number).filter(|operation| **operation == step.describe()).map(|_| Outcome::Reverted)
        };
        reports.push(attempt.run(backend, &mut planner, &done).await?);
    }
    Ok(())
}

/// The recorded migrations to reverse, the last first.
fn targets(chain: Migrations, to: &DownTo, history: &History) -> Result<Vec<&'static Migration>> {
    let recorded = chain.migrations.iter().rev().copied().filter(|migration| history.revision(migration.revision).is_some());
    Ok(match to {
        DownTo::Base => recorded.collect(),
        DownTo::Steps(steps) => recorded.take(*steps).collect(),
        DownTo::Revision(text) => {
            let target = resolve(chain, text)?;
            if history.revision(target.revision).is_none() {
                return Err(Error::History {
                    problem: format!("`{}` is not recorded in this database, so there is no way back to it", target.name),
                    help: "see `migrate status` for what is".to_owned(),
                });
            }
            let nodes = crate::history::nodes(chain);
            let keep = migrate_core::chain::ancestors(&nodes, target.revision);
            recorded.filter(|migration| migration.revision != target.revision && !keep.contains(migration.revision)).collect()
        }
    })
}

/// The steps that reverse `migration` here. Leaves the planner's model as it is after what `up` has done of the migration.
fn reverse_steps(migration: &'static Migration, planner: &mut Planner, outcomes: &BTreeMap<usize, Outcome>) -> Result<Vec<Step>> {
    // what `up` has begun and not finished is there in part, or whole
    let ours = |number: usize| matches!(outcomes.get(&number), Some(Outcome::Applied | Outcome::Started));
    let begun = |number: usize| outcomes.get(&number) == Some(&Outcome::Started);
    let steps = migration.up_steps();
    let written = migration.down_steps();
    let mut inverses = Vec::new();
    let (mut proofs, mut indexes) = (Vec::new(), Vec::new());
    let (mut made, mut untouched): (BTreeSet<ObjectKey>, BTreeSet<ObjectKey>) = Default::default();
    let mut unfilled: BTreeSet<&QualifiedName> = BTreeSet::new();
    for (i, step) in steps.iter().enumerate() {
        let number = i + 1;
        if let Action::Change(operation) = &step.action {
            let remains = if begun(number) { Remains::of(operation) } else { Remains::default() };
            let proofs_of = remains.proofs.into_iter().map(|operation| reversing(step, operation));
            let index_of = remains.index.into_iter().map(|operation| reversing(step, operation));
            if ours(number) && written.is_none() {
                let before = if step.is_unchecked(&planner.model) { &planner.live } else { &planner.model };
                inverses
                    .push(inverse(migration, step, operation, before)?.into_iter().chain(proofs_of).chain(index_of).collect::<Vec<_>>());
            } else {
                proofs.extend(proofs_of);
                indexes.extend(index_of);
            }
            if ours(number) {
                made.extend(operation.touches().into_iter().filter(|key| planner.model.definition(key).is_none()));
                untouched.retain(|key| !made.contains(key));
            } else {
                // what `up` has made is its own, whatever of the rest it didn't come to
                untouched.extend(operation.touches().into_iter().filter(|key| !made.contains(key)));
            }
            if let Operation::Backfill(backfill) = operation
                && outcomes.get(&number) != Some(&Outcome::Applied)
            {
                unfilled.insert(&backfill.table);
            }
        }
        if outcomes.contains_key(&number) || matches!(step.action, Action::Declare { .. }) {
            planner.replay_done(migration, step, outcomes.get(&number) == Some(&Outcome::Skipped));
        }
    }
    if let Some(written) = written {
        // what `up` found done already, or skipped, is not `down`'s to reverse
        let reverses_ours = |step: &Step| match &step.action {
            Action::Change(Operation::Backfill(backfill)) => !unfilled.contains(&backfill.table),
            Action::Change(operation) => {
                let touched = operation.touches();
                touched.is_empty() || !touched.iter().all(|key| untouched.contains(key))
            }
            _ => true,
        };
        // the way back is one transaction wherever it can be
        let written = written.into_iter().filter(reverses_ours).map(|step| Step { as_written: true, ..step });
        // it may rename what the proofs are on, and drop the constraints that need the indexes
        return Ok(proofs.into_iter().chain(written).chain(indexes).collect());
    }
    Ok(inverses.into_iter().rev().flatten().collect())
}

/// An error, where some batches of a change are committed, and others aren't: nobody knows which rows it has reached but its
/// cursor, and the way back is for all of them.
async fn not_half_filled<B: Backend>(backend: &mut B, migration: &'static Migration) -> Result<()> {
    for (number, step) in (1..).zip(migration.up_steps()) {
        let Action::Change(operation @ Operation::Backfill(backfill)) = &step.action else { continue };
        let place = CursorPlace { revision: migration.revision, direction: Direction::Up.as_str(), number };
        let passed = backend.passed(&place).await?;
        if passed.rows > 0 && !falls(backend, migration, backfill).await? {
            return Err(Error::History {
                problem: format!(
                    "`{}` is half done: {} ({}:{}) was interrupted, and its batches have passed {} rows",
                    migration.name,
                    operation.describe(),
                    step.file.as_deref().unwrap_or(migration.file),
                    step.line,
                    passed.rows
                ),
                help: format!(
                    "run `migrate up` to its end first, and `migrate down` after that; if it can't be brought to its end, undo by hand \
                     what the batches have changed, run `{}`, and `migrate down`",
                    passed.forget
                ),
            });
        }
    }
    Ok(())
}

/// Whether the way back makes no difference between the rows that the batches have reached and the others: it looks at no
/// rows, and what was written in them goes with the columns, or with the table, that this migration has made.
async fn falls<B: Backend>(backend: &mut B, migration: &'static Migration, backfill: &Backfill) -> Result<bool> {
    let dialect = backend.dialect();
    let is_here = |step: &Step| step.dialect.is_none_or(|of| of == dialect);
    let Some(back) = migration.down_steps() else { return Ok(false) };
    let back: Option<Vec<Operation>> = back.into_iter().filter(is_here).map(without_rows).collect();
    let Some(back) = back else { return Ok(false) };
    let outcomes = backend.outcomes(migration.revision).await?;
    let is_ours = |number| outcomes.iter().any(|row| !row.reverses && row.number == number && row.outcome == Outcome::Applied);
    let steps = migration.up_steps();
    let ours = || (1..).zip(&steps).filter(|(number, _)| is_ours(*number)).filter_map(|(_, step)| change(step));
    let table = &backfill.table;
    let makes_table = |operation: &Operation| matches!(operation, Operation::CreateTable(create) if create.table.name == *table);
    let drops_table = |operation: &Operation| matches!(operation, Operation::DropTable(drop) if drop.name == *table);
    if ours().any(makes_table) && back.iter().any(drops_table) {
        return Ok(true);
    }
    let falls = |column: &Name| {
        let makes = |it: &Operation| matches!(it, Operation::AddColumn(add) if add.table == *table && add.column.name == *column);
        let drops = |it: &Operation| matches!(it, Operation::DropColumn(drop) if drop.table == *table && drop.column == *column);
        ours().any(makes) && back.iter().any(drops)
    };
    // a function, and a `delete`, set no column that anybody knows of
    Ok(!backfill.sets.is_empty() && backfill.function().is_none() && backfill.sets.iter().all(falls))
}

fn change(step: &Step) -> Option<&Operation> {
    if let Action::Change(operation) = &step.action { Some(operation) } else { None }
}

/// What a step of the way back does, if it makes nothing of rows. To read them for a constraint changes none.
fn without_rows(step: Step) -> Option<Operation> {
    match step.action {
        Action::Change(
            Operation::AlterColumnType(_)
            | Operation::Backfill(_)
            | Operation::CreateTableAs(_)
            | Operation::CreateView(_)
            | Operation::Opaque(_),
        )
        | Action::Run { .. }
        | Action::Assert { .. } => None,
        Action::Change(operation) | Action::Declare { operation, .. } => Some(operation),
    }
}

/// A step of the way back, in the place of what it reverses.
fn reversing(step: &Step, operation: Operation) -> Step {
    Step {
        action: Action::Change(operation),
        if_exists: step.if_exists,
        when: step.when.clone(),
        as_written: true,
        goes_over: Vec::new(),
        dialect: step.dialect,
        file: step.file.clone(),
        line: step.line,
    }
}

fn inverse(migration: &'static Migration, step: &Step, operation: &Operation, before: &Schema) -> Result<Vec<Step>> {
    let operations = operation.inverse(before).map_err(|no| Error::Irreversible {
        name: migration.name.to_owned(),
        reason: format!("{} ({}:{}) has no inverse: {}", operation.describe(), migration.file, step.line, no.reason),
        help: "write `down! { … }` into the migration".to_owned(),
    })?;
    Ok(operations.into_iter().map(|operation| reversing(step, operation)).collect())
}
