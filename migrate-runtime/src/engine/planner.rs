//! Decides what has to happen with every step, by comparing the model with the live schema.

use super::backend::{Backend, Rendered, Rules};
use super::lowering::{self, Disk, Lowered, Sizes};
use super::transactions::Bearing;
use super::work::{changes_rows_only, drops_a_relation, drops_a_table};
use crate::error::Place;
use crate::{Migration, Result};
use migrate_core::effects::{Effects, TransactionNeed};
use migrate_core::operation::{Operate, Operation};
use migrate_core::ops::{Backfill, Batched, Opaque};
use migrate_core::schema::{ObjectKey, Origin, Presence, Schema};
use migrate_core::sqlite::Unsupported;
use migrate_core::step::{Action, Dialect, Step};
use migrate_core::verdict::{Answers, Change, Difference, Verdict, advance};
use std::collections::BTreeSet;

/// What has to happen with a step here and now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Decision {
    /// It is run.
    Run,
    /// The database has it already, identically.
    Satisfied,
    /// What it works on is missing, and optional.
    Skipped(ObjectKey),
    /// What it works on is missing, and should be there.
    Missing(ObjectKey),
    /// An object of that name has another definition.
    Conflict(Vec<Difference>),
    /// This kind of database has nothing like it.
    Unsupported(Unsupported),
    /// It only declares.
    Declared,
    /// An earlier attempt has done it, says the journal.
    Done,
    /// It is for another kind of database.
    OtherDialect,
}

/// A step with its decision.
#[derive(Clone, Debug)]
pub(crate) struct Planned {
    /// Its number in the migration, from 1.
    pub(crate) number: usize,
    /// The step.
    pub(crate) step: Step,
    /// What has to happen with it.
    pub(crate) decision: Decision,
    /// The statements that do it.
    pub(crate) sql: Vec<String>,
    /// Its phases, where it is run in phases.
    pub(crate) lowered: Option<Lowered>,
    /// What it does to a running system.
    pub(crate) effects: Effects,
    /// What it changes in the model, to ask again if the world changes underneath.
    pub(crate) changes: Vec<Change>,
    /// The model before it, to ask again; `None` where nobody is going to.
    pub(crate) before: Option<Schema>,
    /// What of it is optional.
    pub(crate) optional: BTreeSet<ObjectKey>,
    /// Where it stands.
    pub(crate) place: Place,
    /// Whether its outcome is in the journal already.
    pub(crate) journalled: bool,
    /// Whether an earlier run has begun it outside of a transaction, and was interrupted: what is done of it is ours.
    pub(crate) begun: bool,
    /// Whether somebody else has finished it: only what an interrupted attempt has left is removed.
    pub(crate) removes: bool,
    /// Whether it is about something that others may use, and that may be large: it was there before this run, or nobody
    /// knows.
    #[cfg_attr(not(feature = "postgres"), expect(dead_code, reason = "SQLite has no timeouts for statements"))]
    pub(crate) is_about_existing: bool,
    /// What is done to the rows of a batch, where it is done in batches.
    pub(crate) batched: Option<Batched>,
    /// What it has done, where there is more to say than that it was run.
    pub(crate) evidence: String,
    /// What it means for where transactions end.
    pub(crate) bearing: Bearing,
    /// The room on the disk that it needs for large tables.
    pub(crate) disk: Vec<Disk>,
}

/// The model, the live schema, and what is known of the two.
#[derive(Clone, Debug)]
pub(crate) struct Planner {
    /// What the migrations so far have left, in the model.
    pub(crate) model: Schema,
    /// What is there, as far as it is known: a snapshot, and the operations since.
    pub(crate) live: Schema,
    /// What was there when it was read: what isn't in it is this run's own.
    read: Schema,
    /// Whether something has run since the snapshot that the model doesn't understand.
    pub(crate) stale: bool,
    /// Whether something has been run since the snapshot that may have changed what a table or view has on it in a way that
    /// only SQLite knows: triggers follow a rename, and what isn't modelled may do anything. It has to be read again
    /// before a table or view is made anew, or that would be lost.
    unread: bool,
    /// Whether migrations before the one at hand are planned to change something, and haven't been run yet.
    pub(crate) ahead: bool,
    /// What skipped operations would have created: missing, and rightly so.
    pub(crate) outstanding: BTreeSet<ObjectKey>,
    /// The tables that are large, as of the last snapshot and the operations since.
    sizes: Option<Sizes>,
    dialect: Dialect,
    answers: Answers,
    /// A step whose changes are in the model already, but that has no decision yet.
    carried: Option<Carried>,
}

#[derive(Clone, Debug)]
struct Carried {
    changes: Vec<Change>,
    /// The model before it.
    before: Schema,
    optional: BTreeSet<ObjectKey>,
    effects: Effects,
}

/// The steps that could be decided at once.
#[derive(Debug)]
pub(crate) struct Chunk {
    /// They, in their order.
    pub(crate) steps: Vec<Planned>,
    /// Whether the rest needs to see what these have done first.
    pub(crate) cut: bool,
    /// Whether that rest is going to drop a table, as far as can be told.
    pub(crate) drops_later: bool,
}

/// Why a step is run that is done.
const REMOVES: &str = "somebody else has finished what an interrupted attempt had begun: only what that has left is removed";

impl Planner {
    pub(crate) fn new(live: Schema, dialect: Dialect) -> Self {
        Self {
            model: Schema::default(),
            read: live.clone(),
            live,
            stale: false,
            unread: false,
            ahead: false,
            outstanding: BTreeSet::new(),
            sizes: None,
            dialect,
            answers: Answers::default(),
            carried: None,
        }
    }

    /// Takes a new snapshot for the live schema.
    pub(crate) fn refresh(&mut self, live: Schema) {
        self.read = live.clone();
        self.live = live;
        self.sizes = None;
        self.stale = false;
        self.unread = false;
    }

    /// Whether the live schema has to be read again before a migration is planned.
    pub(crate) fn is_unread(&self) -> bool {
        self.unread
    }

    /// Replays a step that is done, one way or another: only the model moves. `skipped` says that the journal has it as
    /// skipped.
    pub(crate) fn replay_done(&mut self, migration: &Migration, step: &Step, skipped: bool) {
        if step.dialect.is_some_and(|dialect| dialect != self.dialect) {
            return;
        }
        let origin = origin(migration, step);
        let Some(operation) = self.operation_for_model(step, &origin) else { return };
        let changes = advance(&mut self.model, &operation, &origin);
        if skipped {
            self.note_skip(&operation, &changes);
        }
    }

    /// Replays a step of a revision that was stamped: nobody recorded what was skipped, so what works on an optional
    /// object that is missing is taken for skipped.
    pub(crate) fn replay_stamped(&mut self, migration: &Migration, step: &Step) {
        let skipped = match &step.action {
            Action::Change(operation) => {
                let mut needed = operation.requires();
                needed.extend(operation.touches().into_iter().filter(|key| matches!(key, ObjectKey::Table(_))));
                needed.iter().any(|key| self.is_optional(key) && self.live.definition(key).is_none())
            }
            _ => false,
        };
        self.replay_done(migration, step, skipped);
    }

    /// Applies declarations to the model and gives the operation of any other step that the model follows.
    fn operation_for_model(&mut self, step: &Step, origin: &Origin) -> Option<Operation> {
        match &step.action {
            Action::Declare { presence, operation } => {
                operation.apply(&mut self.model, origin);
                if let Operation::CreateTable(created) = operation
                    && let Some(table) = self.model.tables.get_mut(&created.table.name)
                {
                    table.presence = *presence;
                }
                None
            }
            Action::Change(operation) if !step.is_unchecked(&self.model) => Some(operation.clone()),
            Action::Change(_) | Action::Run { .. } | Action::Assert { .. } => None,
        }
    }

    fn note_skip(&mut self, operation: &Operation, changes: &[Change]) {
        let created = changes.iter().filter(|change| change.before.is_none() && change.after.is_some());
        self.outstanding.extend(created.map(|change| change.key.clone()));
        if let Operation::Opaque(opaque) = operation {
            self.outstanding.extend(opaque.creates.iter().map(|(_, name)| ObjectKey::Table(name.clone())));
        }
    }

    /// Whether `key` may be missing: it is part of an optional table, or a skipped operation would have created it.
    fn is_optional(&self, key: &ObjectKey) -> bool {
        if self.outstanding.contains(key) {
            return true;
        }
        let table = match key {
            ObjectKey::Index(index) => self.model.table_of_index(index).or_else(|| self.model.table_of_constraint_index(index)),
            key => key.table().and_then(|table| self.model.table(table)),
        };
        table.is_some_and(|table| table.presence == Presence::Optional || self.outstanding.contains(&ObjectKey::Table(table.name.clone())))
    }

    /// Decides as many of `steps` as can be decided before any of them has run. `number` is that of the first; `done`
    /// tells which ones the journal has already, and which ones it has as started. Without a backend, what the server would
    /// have to be asked about can't be decided.
    pub(crate) async fn chunk<B: Backend>(
        &mut self,
        mut backend: Option<&mut B>,
        migration: &Migration,
        steps: &[Step],
        number: usize,
        done: &(dyn Fn(usize) -> Option<crate::history::Outcome> + Sync),
    ) -> Result<Chunk> {
        if let (None, Some(backend)) = (&self.sizes, backend.as_ref()) {
            self.sizes = backend.sizes();
        }
        let mut planned = Vec::new();
        for (offset, step) in steps.iter().enumerate() {
            let number = number + offset;
            let outcome = done(number);
            if let Some(outcome) = outcome.filter(|outcome| *outcome != crate::history::Outcome::Started) {
                self.replay_done(migration, step, outcome == crate::history::Outcome::Skipped);
                planned.push(Self::without_run(migration, step, number, Decision::Done));
                continue;
            }
            let rest = steps.get(offset + 1..).unwrap_or_default();
            let Some(mut step) = self.decide(backend.as_deref_mut(), migration, step, number, &planned, rest).await? else {
                let drops_later = self.drops_later::<B>(migration, &steps[offset..]);
                return Ok(Chunk { steps: planned, cut: true, drops_later });
            };
            step.begun = outcome.is_some();
            let refused = matches!(step.decision, Decision::Missing(_) | Decision::Conflict(_) | Decision::Unsupported(_));
            // hours may have passed once it is done
            let fills = step.lowered.as_ref().is_some_and(|lowered| lowered.lowering.fill.is_some());
            let takes_its_time = step.decision == Decision::Run && (step.batched.is_some() || fills);
            planned.push(step);
            if refused {
                break;
            }
            if takes_its_time && !rest.is_empty() {
                return Ok(Chunk { steps: planned, cut: true, drops_later: self.drops_later::<B>(migration, rest) });
            }
        }
        Ok(Chunk { steps: planned, cut: false, drops_later: false })
    }

    /// Whether one of the steps that are left is going to drop a table or make one anew. Foreign keys can't be switched in a
    /// transaction: what isn't foreseen has all of it begun anew.
    fn drops_later<R: Rules>(&self, migration: &Migration, rest: &[Step]) -> bool {
        if self.dialect != Dialect::Sqlite {
            return false;
        }
        let mut ahead = self.clone();
        // the first of them has been looked at: the model may be past it
        let mut before = ahead.carried.take().map(|carried| carried.before);
        rest.iter().any(|step| {
            let model = before.take().unwrap_or_else(|| ahead.model.clone());
            ahead.replay_done(migration, step, false);
            let Action::Change(operation) = &step.action else { return false };
            if step.dialect.is_some_and(|dialect| dialect != ahead.dialect) {
                return false;
            }
            let rendered = R::render(operation, step.dialect.is_some(), &model, &ahead.live).unwrap_or_default();
            if let Some(live) = rendered.live {
                ahead.live = live;
            }
            drops_a_table(&rendered.sql)
        })
    }

    fn without_run(migration: &Migration, step: &Step, number: usize, decision: Decision) -> Planned {
        Planned {
            number,
            step: step.clone(),
            decision,
            sql: Vec::new(),
            lowered: None,
            effects: Effects::default(),
            changes: Vec::new(),
            before: None,
            optional: BTreeSet::new(),
            place: place(migration, step, number),
            journalled: false,
            is_about_existing: true,
            begun: false,
            removes: false,
            batched: None,
            evidence: String::new(),
            bearing: Bearing::of_code(),
            disk: Vec::new(),
        }
    }

    /// Decides one step. `None`: it can't be decided before the steps planned so far have run.
    async fn decide<B: Backend>(
        &mut self,
        mut backend: Option<&mut B>,
        migration: &Migration,
        step: &Step,
        number: usize,
        earlier: &[Planned],
        rest: &[Step],
    ) -> Result<Option<Planned>> {
        if step.dialect.is_some_and(|dialect| dialect != self.dialect) {
            return Ok(Some(Self::without_run(migration, step, number, Decision::OtherDialect)));
        }
        if let Some(table) = step.when.as_ref().filter(|table| !self.live.tables.contains_key(*table)) {
            let absent = Decision::Skipped(ObjectKey::Table(table.clone()));
            self.replay_done(migration, step, true);
            return Ok(Some(Self::without_run(migration, step, number, absent)));
        }
        let operation = match &step.action {
            Action::Declare { .. } => {
                self.operation_for_model(step, &origin(migration, step));
                return Ok(Some(Self::without_run(migration, step, number, Decision::Declared)));
            }
            Action::Run { .. } => {
                self.stale = true;
                self.unread |= self.dialect == Dialect::Sqlite;
                let effects = Effects::unknown(TransactionNeed::Inside);
                return Ok(Some(Planned { effects, ..Self::without_run(migration, step, number, Decision::Run) }));
            }
            Action::Assert { query, .. } => {
                let query = Opaque::sqlite(query.clone()).into();
                let rendered = B::render(&query, step.dialect.is_some(), &self.model, &self.live);
                let (decision, sql) = rendered.map_or_else(|no| (Decision::Unsupported(no), Vec::new()), |it| (Decision::Run, it.sql));
                return Ok(Some(Planned { sql, ..Self::without_run(migration, step, number, decision) }));
            }
            Action::Change(operation) => operation,
        };
        let unchecked = step.is_unchecked(&self.model);
        let mut carried = match self.carried.take() {
            Some(carried) => carried,
            None => self.advance::<B>(operation, step, &origin(migration, step)),
        };
        let something_runs = self.ahead || earlier.iter().any(|planned| planned.decision == Decision::Run);
        let decision = loop {
            let verdict = B::verdict(operation, &carried.changes, &carried.before, &self.live, &self.answers);
            if (something_runs && matches!(verdict, Verdict::Unsure(_))) || (self.stale && verdict != Verdict::Before) {
                // what the model doesn't know is told from the live schema, and that will be another one
                self.carried = Some(carried).filter(|_| !unchecked);
                return Ok(None);
            }
            match verdict {
                Verdict::Unsure(questions) => {
                    let Some(backend) = backend.as_deref_mut() else {
                        self.carried = Some(carried).filter(|_| !unchecked);
                        return Ok(None);
                    };
                    let answers = backend.answer(&questions).await?;
                    for (question, same) in questions.into_iter().zip(answers) {
                        self.answers.record(question, same);
                    }
                }
                Verdict::Before => break Decision::Run,
                Verdict::After if lowering::is_unfilled(operation, &self.live) => break Decision::Run,
                Verdict::After => break Decision::Satisfied,
                Verdict::Absent(key) if step.if_exists || carried.optional.contains(&key) => break Decision::Skipped(key),
                Verdict::Absent(key) => break Decision::Missing(key),
                Verdict::Conflict(differences)
                    if carried.is_unfinished(&self.live, &differences) || self.is_unvalidated(operation, &carried, &differences) =>
                {
                    break Decision::Run;
                }
                // a database that somebody has brought further already: what the rest of this migration would change is
                // no conflict, and gets a verdict of its own
                Verdict::Conflict(differences) => match self.further::<B>(migration, rest, &carried.changes, &differences) {
                    Some(changes) if changes != carried.changes => carried.changes = changes,
                    _ => break Decision::Conflict(differences),
                },
            }
        };
        let (decision, rendered) = match (decision, B::render(operation, step.dialect.is_some(), &carried.before, &self.live)) {
            (Decision::Run, Err(unsupported)) => (Decision::Unsupported(unsupported), Rendered::default()),
            // nothing to compare is no proof
            (Decision::Satisfied, Err(unsupported)) if carried.changes.is_empty() => {
                (Decision::Unsupported(unsupported), Rendered::default())
            }
            (decision, rendered) => (decision, rendered.unwrap_or_default()),
        };
        let removal = self.remove(operation, &decision);
        let removes = removal.is_some();
        let (decision, rendered) = removal.map_or((decision, rendered), |removal| (Decision::Run, removal));
        let empties = matches!(operation, Operation::Opaque(opaque) if opaque.kind == "truncate");
        if something_runs && self.unread && (empties || drops_a_relation(&rendered.sql)) {
            self.carried = Some(carried).filter(|_| !unchecked);
            return Ok(None);
        }
        let schemas = (&self.live, &self.read);
        let bearing = Bearing::new(step, operation, &carried.changes, &carried.effects, schemas, self.sizes.as_ref());
        let disk = self.sizes.as_ref().map(|sizes| sizes.disk(operation, &carried.effects)).unwrap_or_default();
        let lowered = if decision == Decision::Run && !removes { self.lower(step, operation) } else { None };
        match &decision {
            Decision::Run => {
                match rendered.live {
                    Some(live) => self.live = live,
                    None => operation.apply(&mut self.live, &Origin::default()),
                }
                self.stale |= matches!(operation, Operation::Opaque(_));
                self.unread |= match operation {
                    Operation::RenameTable(_) | Operation::RenameColumn(_) => !self.live.sqlite_triggers.is_empty(),
                    Operation::Opaque(opaque) => self.dialect == Dialect::Sqlite && !changes_rows_only(opaque, step.dialect.is_some()),
                    _ => false,
                };
            }
            Decision::Skipped(_) => self.note_skip(operation, &carried.changes),
            _ => {}
        }
        let phased = lowered.as_ref().map(|lowered| lowered.effects(&carried.effects));
        let effects = phased.or(rendered.effects).unwrap_or(carried.effects);
        let mut tables = effects.locks.iter().map(|(table, _)| table).chain(&effects.rewrites).chain(&effects.scans);
        let is_about_existing = self.stale || effects.unknown || tables.any(|table| self.read.tables.contains_key(table));
        Ok(Some(Planned {
            number,
            step: step.clone(),
            decision,
            sql: lowered.as_ref().map_or(rendered.sql, Lowered::sql),
            effects,
            lowered,
            changes: carried.changes,
            before: Some(carried.before),
            optional: carried.optional,
            place: place(migration, step, number),
            journalled: false,
            is_about_existing,
            begun: false,
            removes,
            batched: rendered.batched,
            evidence: if removes { REMOVES.to_owned() } else { String::new() },
            bearing,
            disk,
        }))
    }

    /// What removes what phases have left. The live schema is moved on.
    fn remove(&mut self, operation: &Operation, decision: &Decision) -> Option<Rendered> {
        let removal =
            self.sizes.as_ref().filter(|_| *decision == Decision::Satisfied).and_then(|_| lowering::remove(operation, &self.live))?;
        lowering::forget(operation, &mut self.live);
        Some(removal)
    }

    /// The phases of a step that is going to be run, if it has some. The live schema and the sizes are moved on.
    fn lower(&mut self, step: &Step, operation: &Operation) -> Option<Lowered> {
        let sizes = self.sizes.as_mut()?;
        sizes.follow(operation);
        let lowered = sizes.lower(step, operation, &self.live)?;
        lowering::forget(operation, &mut self.live);
        Some(lowered)
    }

    fn is_unvalidated(&self, operation: &Operation, carried: &Carried, differences: &[Difference]) -> bool {
        self.sizes.is_some() && lowering::is_unvalidated(operation, &self.live, &carried.changes, differences)
    }

    /// The changes of an operation that creates something, with every differing aspect as the rest of the migration will
    /// leave it.
    fn further<R: Rules>(
        &self,
        migration: &Migration,
        rest: &[Step],
        changes: &[Change],
        differences: &[Difference],
    ) -> Option<Vec<Change>> {
        if changes.iter().any(|change| change.before.is_some()) {
            return None;
        }
        let mut end = self.clone();
        for step in rest {
            end.replay_done(migration, step, false);
        }
        let end = R::project(&end.model).into_owned();
        let further = |change: &Change| {
            let finally = end.definition(&change.key)?;
            let mut after = change.after.clone()?;
            for difference in differences.iter().filter(|difference| difference.key == change.key) {
                after.facts.retain(|fact| fact.aspect != difference.aspect);
                after.facts.extend(finally.facts.iter().find(|fact| fact.aspect == difference.aspect).cloned());
            }
            Some(Change { after: Some(after), ..change.clone() })
        };
        changes.iter().map(further).collect()
    }

    fn advance<R: Rules>(&mut self, operation: &Operation, step: &Step, origin: &Origin) -> Carried {
        let keys: Vec<ObjectKey> = operation.requires().into_iter().chain(operation.touches()).collect();
        let optional = keys.iter().filter(|key| self.is_optional(key)).cloned().collect();
        let effects = operation.effects(&self.model);
        let before = self.model.clone();
        let changes = if step.is_unchecked(&self.model) {
            // the model knows nothing of it: what it changes is told from the live schema
            R::advance(&mut self.live.clone(), operation, origin)
        } else {
            R::advance(&mut self.model, operation, origin)
        };
        Carried { changes, before, optional, effects }
    }
}

impl Carried {
    /// Whether a step outside of a transaction was interrupted, and is done in part: what is there is an index that nothing
    /// uses, or each thing that the step changes is as before it or as after it. Running it again finishes it.
    fn is_unfinished(&self, live: &Schema, differences: &[Difference]) -> bool {
        let invalid = |key: &ObjectKey| {
            let is_it = |difference: &Difference| difference.key == *key && difference.aspect == "valid" && difference.expected.is_none();
            let is_elsewhere = |difference: &Difference| difference.key == *key && difference.aspect == "table";
            differences.iter().any(is_it) && !differences.iter().any(is_elsewhere)
        };
        let unfinished = |change: &Change| match (&change.before, &change.after) {
            (None, Some(_)) => matches!(change.key, ObjectKey::Index(_)) && invalid(&change.key),
            (Some(before), Some(after)) => live.definition(&change.key).is_some_and(|live| live.is_between(before, after)),
            _ => false,
        };
        self.effects.transaction == TransactionNeed::Outside && self.changes.iter().all(unfinished)
    }
}

impl Planned {
    /// Looks again, after the server has said no: has what it works on gone, or has somebody else done it?
    pub(crate) fn reconsider<R: Rules>(&self, live: &Schema) -> Option<Decision> {
        let Action::Change(operation) = &self.step.action else { return None };
        match R::verdict(operation, &self.changes, self.before.as_ref()?, live, &Answers::default()) {
            Verdict::Absent(key) if self.step.if_exists || self.optional.contains(&key) => Some(Decision::Skipped(key)),
            Verdict::After if !lowering::is_unfilled(operation, live) => Some(Decision::Satisfied),
            _ => None,
        }
    }

    /// The change in batches that it is, if it is one.
    pub(crate) fn backfill(&self) -> Option<&Backfill> {
        match &self.step.action {
            Action::Change(Operation::Backfill(backfill)) => Some(backfill),
            _ => None,
        }
    }

    /// Whether it has to be outside of a transaction.
    pub(crate) fn is_outside(&self) -> bool {
        self.effects.transaction == TransactionNeed::Outside
    }
}

fn origin(migration: &Migration, step: &Step) -> Origin {
    step.origin(migration.name)
}

/// Where a step of a migration stands.
pub(super) fn place(migration: &Migration, step: &Step, number: usize) -> Place {
    Place {
        revision: migration.revision.to_owned(),
        name: migration.name.to_owned(),
        number,
        operation: step.describe(),
        file: step.file.clone().unwrap_or_else(|| migration.file.to_owned()),
        line: step.line,
    }
}
