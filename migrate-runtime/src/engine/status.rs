//! `status`, `current`, `skipped`, `check`: what is true, without changing anything.

use super::Backend;
use super::planner::Planner;
use crate::history::{History, OperationRow, Outcome, RevisionState};
use crate::{Error, Migrations, Result};
use migrate_core::schema::{ObjectKey, Presence};
use migrate_core::verdict::{Answers, Change, Verdict, told, verdict};
use serde::Serialize;

/// Where a database stands.
#[derive(Clone, Debug, Serialize)]
pub struct Status {
    /// Host, port, database and user, without the password.
    pub target: String,
    /// Every revision of the chain, and what the database says of it.
    pub revisions: Vec<RevisionStatus>,
    /// The operations that are skipped for now.
    pub skipped: Vec<SkippedOperation>,
}

/// One revision.
#[derive(Clone, Debug, Serialize)]
pub struct RevisionStatus {
    /// The revision.
    pub revision: String,
    /// Its parents.
    pub parents: Vec<String>,
    /// Its name.
    pub name: String,
    /// What it is for.
    pub summary: String,
    /// What is recorded; `None`: it is pending.
    pub state: Option<RevisionState>,
    /// When it was recorded, in UTC.
    pub recorded_at: Option<String>,
    /// How many of its operations are skipped for now.
    pub skipped: usize,
}

/// One skipped operation.
#[derive(Clone, Debug, Serialize)]
pub struct SkippedOperation {
    /// Its revision.
    pub revision: String,
    /// The migration's name.
    pub name: String,
    /// Its number in the migration, from 1.
    pub number: usize,
    /// What it does.
    pub operation: String,
    /// The missing object.
    pub evidence: String,
    /// The source file.
    pub file: String,
    /// The line, from 1.
    pub line: u32,
}

impl Status {
    /// How many revisions are pending, interrupted ones among them.
    #[must_use]
    pub fn pending(&self) -> usize {
        self.revisions.iter().filter(|row| matches!(row.state, None | Some(RevisionState::Started))).count()
    }

    /// The recorded revisions that no recorded revision follows.
    #[must_use]
    pub fn current(&self) -> Vec<&RevisionStatus> {
        let recorded: Vec<&RevisionStatus> =
            self.revisions.iter().filter(|row| row.state.is_some_and(|state| state != RevisionState::Started)).collect();
        let followed = |revision: &str| recorded.iter().any(|row| row.parents.iter().any(|parent| parent == revision));
        recorded.iter().copied().filter(|row| !followed(&row.revision)).collect()
    }
}

/// Reads where the database stands.
pub(crate) async fn status<B: Backend>(backend: &mut B, chain: Migrations) -> Result<Status> {
    let history = backend.history().await?;
    history.validate(chain)?;
    let skipped = skipped(chain, &history);
    let revisions = chain.migrations.iter().map(|migration| {
        let row = history.revision(migration.revision);
        RevisionStatus {
            revision: migration.revision.to_owned(),
            parents: migration.parents.iter().map(|parent| (*parent).to_owned()).collect(),
            name: migration.name.to_owned(),
            summary: migration.summary.to_owned(),
            state: row.map(|row| row.state),
            recorded_at: row.map(|row| row.recorded_at.clone()),
            skipped: skipped.iter().filter(|operation| operation.revision == migration.revision).count(),
        }
    });
    Ok(Status { target: backend.target(), revisions: revisions.collect(), skipped })
}

/// The operations that are skipped for now, in the order of the chain.
fn skipped(chain: Migrations, history: &History) -> Vec<SkippedOperation> {
    let mut skipped = Vec::new();
    for migration in chain.migrations {
        let rows: Vec<&OperationRow> = history.skipped().filter(|row| row.revision == migration.revision).collect();
        if rows.is_empty() {
            continue;
        }
        let steps = migration.up_steps();
        skipped.extend(rows.into_iter().map(|row| {
            let step = row.number.checked_sub(1).and_then(|i| steps.get(i));
            SkippedOperation {
                revision: row.revision.clone(),
                name: migration.name.to_owned(),
                number: row.number,
                operation: row.operation.clone(),
                evidence: row.evidence.clone(),
                file: step.and_then(|step| step.file.clone()).unwrap_or_else(|| migration.file.to_owned()),
                line: step.map_or(0, |step| step.line),
            }
        }));
    }
    skipped
}

/// What `check` found.
#[derive(Clone, Debug, Serialize)]
pub struct CheckReport {
    /// Where the database stands.
    #[serde(flatten)]
    pub status: Status,
    /// What is otherwise in the database than its history says.
    pub drift: Vec<String>,
}

impl CheckReport {
    /// 0 in sync, 3 pending, 4 drift.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        if !self.drift.is_empty() {
            4
        } else if self.status.pending() > 0 {
            3
        } else {
            0
        }
    }
}

/// Compares the database with its history and with the chain.
pub(crate) async fn check<B: Backend>(backend: &mut B, chain: Migrations) -> Result<CheckReport> {
    let status = status(backend, chain).await?;
    let history = backend.history().await?;
    if history.revisions.is_empty() {
        return Ok(CheckReport { status, drift: Vec::new() });
    }
    let mut planner = Planner::new(backend.snapshot().await?, backend.dialect());
    // what is half reversed is as `down` has left it
    let is_whole = |revision: &str| history.revision(revision).is_some() && !history.is_half_reversed(revision);
    for migration in chain.migrations.iter().copied().filter(|migration| is_whole(migration.revision)) {
        let outcomes = history.outcomes(migration.revision);
        let interrupted = !history.is_done(migration.revision);
        for (i, step) in migration.up_steps().iter().enumerate() {
            let outcome = outcomes.get(&(i + 1)).map(|row| row.outcome);
            if interrupted && !matches!(outcome, Some(Outcome::Applied | Outcome::Satisfied | Outcome::Skipped)) {
                break;
            }
            if history.is_stamped(migration.revision) {
                planner.replay_stamped(migration, step);
            } else {
                planner.replay_done(migration, step, outcome == Some(Outcome::Skipped));
            }
        }
    }
    let drift = drift(backend, &planner).await?;
    Ok(CheckReport { status, drift })
}

/// Every difference between the model and the live schema in what this chain owns.
async fn drift<B: Backend>(backend: &mut B, planner: &Planner) -> Result<Vec<String>> {
    let model = B::project(&planner.model).into_owned();
    let owned = model.tables.values().filter(|table| table.presence == Presence::Owned);
    let keys = owned.flat_map(|table| {
        let indexes = table.indexes.keys().map(|index| ObjectKey::Index(table.name.sibling(index.clone())));
        let policies = table.policies.keys().map(|name| ObjectKey::Policy(table.name.clone(), name.clone()));
        std::iter::once(ObjectKey::Table(table.name.clone())).chain(indexes).chain(policies).collect::<Vec<_>>()
    });
    let others = model
        .enums
        .keys()
        .chain(model.domains.keys())
        .chain(model.composites.keys())
        .cloned()
        .map(ObjectKey::Type)
        .chain(model.views.keys().cloned().map(ObjectKey::View));
    let on_owned =
        |key: &ObjectKey| key.table().and_then(|relation| model.tables.get(relation)).is_none_or(|table| table.presence == Presence::Owned);
    let routines = model.routines.keys().cloned().map(ObjectKey::Routine);
    let triggers = model.trigger_keys().filter(on_owned);
    let keys: Vec<ObjectKey> =
        keys.chain(others).chain(routines).chain(triggers).filter(|key| !planner.outstanding.contains(key)).collect();
    let mut answers = Answers::default();
    let mut drift = Vec::new();
    let nothing: migrate_core::operation::Operation = nothing();
    for key in keys {
        let change = [Change { before: None, after: model.definition(&key), key: key.clone() }];
        loop {
            match verdict(&nothing, &change, &model, &planner.live, &answers) {
                Verdict::Before | Verdict::Absent(_) => drift.push(format!("{key} is missing")),
                Verdict::After => {}
                Verdict::Conflict(mut differences) => {
                    differences.retain(|difference| !explained(planner, &key, &difference.aspect));
                    drift.extend(told(&differences));
                }
                Verdict::Unsure(questions) => {
                    let replies = backend.answer(&questions).await?;
                    if replies.len() != questions.len() {
                        return Err(Error::Format { doing: "comparing expressions", reason: "the server left questions open".to_owned() });
                    }
                    for (question, same) in questions.into_iter().zip(replies) {
                        answers.record(question, same);
                    }
                    continue;
                }
            }
            break;
        }
    }
    Ok(drift)
}

/// Whether a difference within a table comes from an operation that was skipped: its column or constraint is outstanding.
fn explained(planner: &Planner, key: &ObjectKey, aspect: &str) -> bool {
    let ObjectKey::Table(table) = key else { return false };
    planner.outstanding.iter().any(|outstanding| match outstanding {
        ObjectKey::Column(other, name) => other == table && aspect.starts_with(&format!("column {name}: ")),
        ObjectKey::Constraint(other, name) => other == table && aspect.starts_with(&format!("constraint {name}: ")),
        _ => false,
    })
}

/// An operation that needs nothing: drift is a verdict without one.
fn nothing() -> migrate_core::operation::Operation {
    migrate_core::ops::Opaque::default().into()
}
