//! `plan`: what `up` would do here. Nothing is written: everything is read in read-only transactions.

use super::Backend;
use super::lowering::{Disk, Lowered, bytes};
use super::planner::{Decision, Planned, Planner};
use super::transactions::Open;
use crate::history::{Outcome, heads};
use crate::{Head, Migrations, Result};
use migrate_core::effects::LockMode;
use migrate_core::lowering::{Lowering, Pace, Phase};
use migrate_core::name::QualifiedName;
use migrate_core::step::Dialect;
use migrate_core::verdict::told;
use serde::Serialize;

/// What `up` would do on this database now.
#[derive(Clone, Debug, Serialize)]
pub struct Plan {
    /// Host, port, database and user, without the password.
    pub target: String,
    /// The kind of database, and so of the SQL.
    pub dialect: Dialect,
    /// Where the database stands: the recorded revisions that no recorded one follows.
    pub current: Vec<Head>,
    /// How many operations are skipped for now.
    pub skipped: usize,
    /// The revisions that it would work on.
    pub revisions: Vec<PlannedRevision>,
}

/// What would be done for one revision.
#[derive(Clone, Debug, Serialize)]
pub struct PlannedRevision {
    /// The revision.
    pub revision: String,
    /// Its name.
    pub name: String,
    /// `up` or `replay`.
    pub direction: &'static str,
    /// Its operations.
    pub operations: Vec<PlannedOperation>,
}

/// What would be done with one operation.
#[derive(Clone, Debug, Serialize)]
pub struct PlannedOperation {
    /// Its number in the migration, from 1.
    pub number: usize,
    /// What it does.
    pub operation: String,
    /// `before`, `after`, `absent`, `missing`, `conflict`, `unsupported`, or `unknown`: it depends on what an opaque
    /// statement before it does.
    pub verdict: &'static str,
    /// Why, where that isn't plain.
    pub evidence: String,
    /// The statements that would be run.
    pub sql: Vec<String>,
    /// Whether what it would lock and rewrite isn't known: an opaque statement, or a Rust step.
    pub unknown_effects: bool,
    /// The strongest lock on each table: `AccessExclusiveLock on documents`.
    pub locks: Vec<String>,
    /// Its phases, where it would be run in phases; empty where it is run as it was written.
    pub phases: Vec<PlannedPhase>,
    /// The tables that would be rewritten.
    pub rewrites: Vec<String>,
    /// What it needs about on the disk, for tables that are large.
    pub disk: Vec<PlannedDisk>,
    /// In which transaction of the migration it would run, from 1; `None`: outside of any.
    pub transaction: Option<usize>,
    /// How many rows the first of its batches has, where it is done in batches: each of them is a transaction of its own.
    pub batch: Option<u32>,
    /// The source file.
    pub file: String,
    /// The line, from 1.
    pub line: u32,
}

/// The room on the disk that an operation needs for a large table, until it is committed and what was there before it is given
/// back: where there is less, the server stops it, and what it has done is rolled back.
#[derive(Clone, Debug, Serialize)]
pub struct PlannedDisk {
    /// The table.
    pub table: String,
    /// `rewrite`: the table is written anew, with all its indexes; `index`: an index on it is built.
    pub purpose: &'static str,
    /// About how many bytes: of a rewrite, as much as there is; of an index, about as much as there can be, which is the
    /// table's rows. `None`: the table could not be measured, as somebody has it locked.
    pub bytes: Option<u64>,
}

impl PlannedDisk {
    fn new(disk: &Disk) -> Self {
        let purpose = if disk.rewrites { "rewrite" } else { "index" };
        Self { table: disk.table.to_string(), purpose, bytes: disk.bytes }
    }
}

impl std::fmt::Display for PlannedDisk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.bytes, self.purpose) {
            (None, _) => write!(f, "unknown, for `{}`", self.table),
            (Some(size), "index") => write!(f, "up to about {}, for `{}`", bytes(size), self.table),
            (Some(size), _) => write!(f, "about {}, for `{}`", bytes(size), self.table),
        }
    }
}

/// A phase of an operation on a large table.
#[derive(Clone, Debug, Serialize)]
pub struct PlannedPhase {
    /// Its statements.
    pub sql: Vec<String>,
    /// Its locks: `AccessExclusiveLock on documents`.
    pub locks: Vec<String>,
    /// Whether it is a transaction of its own; otherwise it is outside of any.
    pub transaction: bool,
    /// How many rows the first of its batches has, where it is done in batches: each of them is a transaction of its own.
    pub batch: Option<u32>,
    /// Whether it gives up soon if it doesn't get its locks, and is tried again. What takes long blocks neither reads nor
    /// writes, and may wait.
    pub short: bool,
}

impl PlannedPhase {
    fn new(lowering: &Lowering, phase: &Phase) -> Self {
        Self {
            sql: phase.sql.clone(),
            locks: locks(&phase.locks),
            transaction: phase.pace != Pace::Outside,
            batch: lowering.fill.as_ref().filter(|_| phase.pace == Pace::Batches).map(|fill| fill.batch),
            short: phase.pace == Pace::Short,
        }
    }
}

fn phases(lowering: &Lowering) -> impl Iterator<Item = PlannedPhase> {
    lowering.phases.iter().map(|phase| PlannedPhase::new(lowering, phase))
}

fn locks(locks: &[(QualifiedName, LockMode)]) -> Vec<String> {
    locks.iter().map(|(table, mode)| format!("{} on {table}", mode.pg_locks_name())).collect()
}

impl Plan {
    /// How many operations have that verdict.
    #[must_use]
    pub fn count(&self, verdict: &str) -> usize {
        self.operations().filter(|operation| operation.verdict == verdict).count()
    }

    /// The operations that `up` would fail at.
    pub fn obstacles(&self) -> impl Iterator<Item = &PlannedOperation> {
        self.operations().filter(|operation| matches!(operation.verdict, "missing" | "conflict" | "unsupported"))
    }

    fn operations(&self) -> impl Iterator<Item = &PlannedOperation> {
        self.revisions.iter().flat_map(|revision| &revision.operations)
    }

    /// 0 if `up` could be done, 4 if it would find drift or a conflict, 1 if it would fail for another reason.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self.obstacles().next().map(|operation| operation.verdict) {
            None => 0,
            Some("unsupported") => 1,
            Some(_) => 4,
        }
    }
}

/// Plans what is pending, up to `target`, and what was skipped before.
pub(crate) async fn plan<B: Backend>(backend: &mut B, chain: Migrations, target: Option<&str>) -> Result<Plan> {
    let history = backend.history().await?;
    history.validate(chain)?;
    let pending = history.pending(chain, target)?;
    let mut plan = Plan {
        target: backend.target(),
        dialect: backend.dialect(),
        current: heads(chain, |revision| history.is_done(revision)),
        skipped: history.skipped().count(),
        revisions: Vec::new(),
    };
    if pending.is_empty() && history.skipped().next().is_none() {
        return Ok(plan);
    }
    let mut planner = Planner::new(backend.snapshot().await?, backend.dialect());
    for migration in chain.migrations.iter().copied() {
        let is_done = history.is_done(migration.revision);
        if !is_done && !pending.iter().any(|other| other.revision == migration.revision) {
            continue;
        }
        let outcomes = history.outcomes(migration.revision);
        let done = |number: usize| match outcomes.get(&number).map(|row| row.outcome) {
            Some(Outcome::Skipped) if is_done => None,
            _ if is_done => Some(Outcome::Applied),
            Some(outcome @ (Outcome::Applied | Outcome::Satisfied | Outcome::Skipped)) => Some(outcome),
            _ => None,
        };
        let steps = migration.up_steps();
        if history.is_stamped(migration.revision) {
            for step in &steps {
                planner.replay_stamped(migration, step);
            }
            continue;
        }
        let mut operations = Vec::new();
        let (mut transaction, mut open) = (1, Open::default());
        let mut next = 0;
        while next < steps.len() {
            let chunk = planner.chunk(Some(&mut *backend), migration, &steps[next..], next + 1, &done).await?;
            next += chunk.steps.len();
            let steps = &chunk.steps;
            let described = (0..steps.len()).filter_map(|i| describe(&steps[i..], !chunk.cut, &mut transaction, &mut open));
            operations.extend(described);
            if chunk.cut {
                // the next step depends on what something opaque does: it is taken as it should be
                planner.stale = false;
            }
            // `up` would stop at an obstacle; the plan goes on, to show what else is in the way
        }
        let replays = is_done;
        operations.retain(|operation| !replays || operation.verdict != "absent");
        if !operations.is_empty() || !is_done {
            plan.revisions.push(PlannedRevision {
                revision: migration.revision.to_owned(),
                name: migration.name.to_owned(),
                direction: if replays { "replay" } else { "up" },
                operations,
            });
        }
    }
    Ok(plan)
}

/// Of the first of these steps.
fn describe(steps: &[Planned], completes: bool, transaction: &mut usize, open: &mut Open) -> Option<PlannedOperation> {
    let planned = steps.first()?;
    let (verdict, mut evidence) = match &planned.decision {
        Decision::Run if planned.removes => ("after", planned.evidence.clone()),
        Decision::Run => ("before", planned.lowered.as_ref().map(Lowered::evidence).unwrap_or_default()),
        Decision::Satisfied => ("after", "the database has it already".to_owned()),
        Decision::Skipped(key) => ("absent", format!("{key} is absent")),
        Decision::Missing(key) => ("missing", format!("{key} should be there")),
        Decision::Conflict(differences) => ("conflict", told(differences).join("; ")),
        Decision::Unsupported(unsupported) => ("unsupported", unsupported.message.clone()),
        Decision::Declared | Decision::Done | Decision::OtherDialect => return None,
    };
    let runs = planned.decision == Decision::Run;
    let outside = runs && planned.is_outside();
    if runs
        && !outside
        && let Some(end) = open.ends_before(steps, completes)
    {
        *transaction += 1;
        *open = Open::default();
        evidence = end.to_string();
    }
    let number = *transaction;
    if outside {
        *transaction += 1;
        *open = Open::default();
    } else if runs {
        open.take(planned);
    }
    Some(PlannedOperation {
        number: planned.number,
        operation: planned.place.operation.clone(),
        verdict,
        evidence,
        sql: if runs { planned.sql.clone() } else { Vec::new() },
        unknown_effects: runs && planned.effects.unknown,
        locks: if runs { locks(&planned.effects.locks) } else { Vec::new() },
        phases: planned.lowered.iter().flat_map(|lowered| phases(&lowered.lowering)).collect(),
        rewrites: planned.effects.rewrites.iter().filter(|_| runs).map(ToString::to_string).collect(),
        transaction: (runs && !outside).then_some(number),
        disk: planned.disk.iter().filter(|_| runs).map(PlannedDisk::new).collect(),
        batch: planned.backfill().filter(|_| runs).map(|backfill| backfill.batch),
        file: planned.place.file.clone(),
        line: planned.place.line,
    })
}
