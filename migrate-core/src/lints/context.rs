//! What a lint may look at.

use super::{advance, data};
use crate::effects::{Effects, LockMode, TransactionNeed};
use crate::name::{At, QualifiedName};
use crate::operation::{Operate, Operation};
use crate::ops::Opaque;
use crate::schema::{ObjectKey, OtherKind, Schema, Table};
use crate::step::{Action, Step};
use squawk_syntax::SourceFile;
use squawk_syntax::ast::{self, AstNode};
use std::collections::BTreeSet;

/// A migration on another branch: neither before nor after the one that is looked at.
#[derive(Clone, Debug)]
pub struct Branch {
    /// The migration's name.
    pub name: String,
    /// The tables that it locks, each with the lock, in the order of its steps.
    pub locks: Vec<(QualifiedName, LockMode)>,
}

impl Branch {
    /// A migration of that name, with its names filled in, on the schema before it.
    #[must_use]
    pub fn new(name: &str, steps: &[Step], before: &Schema) -> Self {
        let mut schema = before.clone();
        let mut migration = Migration::new(steps, before, before, &[]);
        let mut locks: Vec<(QualifiedName, LockMode)> = Vec::new();
        for step in steps {
            migration.enter(&schema, step);
            let taken = migration.effects.last().map(|effects| effects.locks.clone()).unwrap_or_default();
            locks.extend(taken.into_iter().filter(|(table, _)| !migration.new.contains(&ObjectKey::Table(table.clone()))));
            migration.leave(&mut schema, step);
        }
        Self { name: name.to_owned(), locks }
    }
}

/// A migration on its way from its first to its last step.
pub(super) struct Migration<'a> {
    steps: &'a [Step],
    start: &'a Schema,
    end: &'a Schema,
    branches: &'a [Branch],
    /// The effects of the steps so far, the current one included.
    effects: Vec<Effects>,
    /// What the steps so far have created, the current one not included.
    new: BTreeSet<ObjectKey>,
    /// Of the current step: what it creates or renames may be there already.
    arriving: Vec<ObjectKey>,
    leaving: Vec<ObjectKey>,
}

impl<'a> Migration<'a> {
    pub(super) fn new(steps: &'a [Step], start: &'a Schema, end: &'a Schema, branches: &'a [Branch]) -> Self {
        let (effects, new) = (Vec::new(), BTreeSet::new());
        Self { steps, start, end, branches, effects, new, arriving: Vec::new(), leaving: Vec::new() }
    }

    /// A step that doesn't count.
    pub(super) fn pass(&mut self) {
        self.effects.push(Effects::default());
    }

    pub(super) fn enter(&mut self, before: &Schema, step: &Step) {
        let (effects, touched) = match &step.action {
            Action::Change(operation) => (operation.effects(before), touched(operation)),
            _ => (Effects::default(), Vec::new()),
        };
        self.effects.push(effects);
        (self.leaving, self.arriving) = touched.into_iter().partition(|key| before.definition(key).is_some());
    }

    pub(super) fn leave(&mut self, before: &mut Schema, step: &Step) {
        advance(before, step);
        let left: Vec<_> = self.leaving.drain(..).filter(|key| before.definition(key).is_none()).collect();
        // what is renamed is as new as it was
        let renamed_old = !left.is_empty() && !left.iter().any(|key| self.new.contains(key));
        for key in left {
            self.new.remove(&key);
        }
        let arrived = self.arriving.drain(..).filter(|key| !renamed_old && before.definition(key).is_some());
        self.new.extend(arrived.collect::<Vec<_>>());
    }
}

/// One step of a migration, with all that is known around it.
pub struct Context<'a> {
    step: usize,
    before: &'a Schema,
    migration: &'a Migration<'a>,
    /// Of an opaque statement: parsed once for all lints.
    statement: Option<ast::Stmt>,
}

/// What a step does to the rows of a table while others wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    /// Nothing: it changes the catalog.
    None,
    /// It reads them all.
    Reads,
    /// It writes them all.
    Rewrites,
}

impl<'a> Context<'a> {
    pub(super) fn new(step: usize, before: &'a Schema, migration: &'a Migration<'a>) -> Self {
        let statement = match migration.steps.get(step).and_then(change) {
            Some(Operation::Opaque(opaque)) => statement_of(opaque),
            _ => None,
        };
        Self { step, before, migration, statement }
    }

    /// The schema before the step.
    #[must_use]
    pub fn before(&self) -> &'a Schema {
        self.before
    }

    /// The schema before the migration.
    #[must_use]
    pub fn start(&self) -> &'a Schema {
        self.migration.start
    }

    /// The schema after the migration.
    #[must_use]
    pub fn end(&self) -> &'a Schema {
        self.migration.end
    }

    /// What the step does; `None` for `run` and `assert`.
    #[must_use]
    pub fn operation(&self) -> Option<&'a Operation> {
        change(self.current())
    }

    /// The step itself.
    #[must_use]
    pub fn current(&self) -> &'a Step {
        &self.migration.steps[self.step]
    }

    /// What the step does to a running system.
    #[must_use]
    pub fn effects(&self) -> &Effects {
        &self.migration.effects[self.step]
    }

    /// The earlier operations of the migration with their effects, the first step first.
    #[must_use]
    pub fn earlier(&self) -> impl DoubleEndedIterator<Item = (&'a Operation, &Effects)> {
        let pairs = self.migration.steps.iter().zip(&self.migration.effects).take(self.step);
        pairs.filter_map(|(step, effects)| Some((change(step)?, effects)))
    }

    /// The earlier operations of the same transaction, the latest first: what can't be in a transaction ends one.
    pub fn in_transaction(&self) -> impl Iterator<Item = (&'a Operation, &Effects)> {
        let outside = |effects: &Effects| effects.transaction == TransactionNeed::Outside;
        let alone = outside(self.effects());
        self.earlier().rev().take_while(move |(_, effects)| !alone && !outside(effects))
    }

    /// The tables that may have rows and readers and that earlier steps of the transaction have locked against reads or
    /// writes, each with the strongest lock, the first locked first.
    #[must_use]
    pub fn held_locks(&self) -> Vec<(&QualifiedName, LockMode)> {
        let mut held: Vec<(&QualifiedName, LockMode)> = Vec::new();
        let effects: Vec<_> = self.in_transaction().map(|(_, effects)| effects).collect();
        let locks = effects.into_iter().rev().flat_map(|effects| &effects.locks);
        for (table, mode) in locks.filter(|(table, mode)| *mode >= LockMode::Share && self.start().table(table).is_some()) {
            match held.iter_mut().find(|(locked, _)| *locked == table) {
                Some((_, strongest)) => *strongest = (*strongest).max(*mode),
                None => held.push((table, *mode)),
            }
        }
        held
    }

    /// Who created an object that was there before the migration: `` `m0003_prune`, line 7 ``.
    #[must_use]
    pub fn creator(&self, key: &ObjectKey) -> Option<String> {
        self.start().origin_of(key)?.place()
    }

    /// The earlier steps of the migration, the first one first.
    #[must_use]
    pub fn earlier_steps(&self) -> impl DoubleEndedIterator<Item = &'a Step> {
        self.migration.steps.iter().take(self.step)
    }

    /// The later operations of the migration.
    pub fn later(&self) -> impl Iterator<Item = &'a Operation> {
        self.migration.steps.iter().skip(self.step + 1).filter_map(change)
    }

    /// The later steps of the migration.
    pub fn later_steps(&self) -> impl Iterator<Item = &'a Step> {
        self.migration.steps.iter().skip(self.step + 1)
    }

    /// The migrations of other branches.
    #[must_use]
    pub fn branches(&self) -> &'a [Branch] {
        self.migration.branches
    }

    /// Whether the engine runs the step in phases where its table is large: then nobody waits while rows are read.
    #[must_use]
    pub fn runs_in_phases(&self) -> bool {
        !self.current().as_written && self.operation().is_some_and(|operation| self.has_phases(operation))
    }

    /// Whether the engine could run that in phases here.
    #[must_use]
    pub fn has_phases(&self, operation: &Operation) -> bool {
        crate::lowering::lower(operation, self.before).is_some()
    }

    /// Whether an earlier step of this migration created it: then it has no rows and no readers yet.
    #[must_use]
    pub fn is_new(&self, key: &ObjectKey) -> bool {
        self.migration.new.contains(key)
    }

    /// The same of a table.
    #[must_use]
    pub fn is_new_table(&self, table: &QualifiedName) -> bool {
        self.is_new(&ObjectKey::Table(table.clone()))
    }

    /// Whether it surely has no rows: created by this migration, or emptied by it.
    #[must_use]
    pub fn has_no_rows(&self, table: &QualifiedName) -> bool {
        self.is_new_table(table) || data::is_emptied(self, table)
    }

    /// The table, if it may have rows and readers: known, and not created by this migration.
    #[must_use]
    pub fn old_table(&self, table: &QualifiedName) -> Option<&'a Table> {
        self.before.table(table).filter(|_| !self.is_new_table(table))
    }

    /// Whether it was there before this migration. What the model doesn't know isn't: what drops it drops nothing.
    #[must_use]
    pub fn is_old(&self, key: &ObjectKey) -> bool {
        !self.is_new(key) && self.before.definition(key).is_some()
    }

    /// The tables that may have rows and readers, with the lock that the step takes on each.
    pub fn locks_on_old_tables(&self) -> impl Iterator<Item = (&QualifiedName, LockMode)> {
        self.effects().locks.iter().filter(|(table, _)| !self.is_new_table(table)).map(|(table, mode)| (table, *mode))
    }

    /// What waits for the step on this table, and until when; `None` if nothing that an application does.
    #[must_use]
    pub fn wait(&self, table: &QualifiedName) -> Option<String> {
        let effects = self.effects();
        let (_, mode) = effects.locks.iter().find(|(locked, _)| locked == table)?;
        let work = if effects.rewrites.contains(table) {
            Work::Rewrites
        } else if effects.scans.contains(table) {
            Work::Reads
        } else {
            Work::None
        };
        self.waits(table, *mode, work)
    }

    /// The same of a statement that the model has no operation for.
    #[must_use]
    pub fn waits(&self, table: &QualifiedName, mode: LockMode, work: Work) -> Option<String> {
        if mode < LockMode::Share {
            return None;
        }
        let work = match work {
            Work::None => "",
            Work::Reads => ", while every row is read",
            Work::Rewrites => ", while every row is written anew",
        };
        let until = if self.effects().transaction == TransactionNeed::Outside { "it is done" } else { "the migration commits" };
        Some(format!("{} of `{table}` wait until {until}{work} ({})", mode.blocks(), mode.pg_locks_name()))
    }

    /// Where the step names what it is about; of a statement that the model has no operation for, its first word.
    #[must_use]
    pub fn place(&self) -> At {
        let Some(operation) = self.operation() else { return At::default() };
        if let Operation::Opaque(opaque) = operation
            && opaque.sql.at.end > 0
        {
            let word = opaque.sql.sql().split_whitespace().next().unwrap_or_default();
            let start = opaque.sql.at.start;
            return At { start, end: At::new(0..word.len()).end + start };
        }
        let named = operation.touches().into_iter().chain(operation.requires()).map(|key| match key {
            ObjectKey::Column(_, name) | ObjectKey::Constraint(_, name) if name.at.end > 0 => name.at,
            ObjectKey::Schema(name) | ObjectKey::Extension(name) | ObjectKey::Trigger(_, name) | ObjectKey::Policy(_, name) => name.at,
            ObjectKey::Routine(signature) => signature.name.at(),
            ObjectKey::Table(name)
            | ObjectKey::Column(name, _)
            | ObjectKey::Constraint(name, _)
            | ObjectKey::Index(name)
            | ObjectKey::Type(name)
            | ObjectKey::Sequence(name)
            | ObjectKey::View(name) => name.at(),
        });
        named.into_iter().find(|at| at.end > 0).unwrap_or_default()
    }

    /// The syntax tree of a statement that the model has no operation for.
    #[must_use]
    pub fn statement(&self) -> Option<(&'a Opaque, ast::Stmt)> {
        let Some(Operation::Opaque(opaque)) = self.operation() else { return None };
        Some((opaque, self.statement.clone()?))
    }

    /// The syntax trees of such statements among the later operations of the migration.
    pub fn later_statements(&self) -> impl Iterator<Item = ast::Stmt> {
        self.later().filter_map(|operation| match operation {
            Operation::Opaque(opaque) => statement_of(opaque),
            _ => None,
        })
    }

    /// The same of the earlier ones.
    pub fn earlier_statements(&self) -> impl Iterator<Item = ast::Stmt> {
        self.earlier().filter_map(|(operation, _)| match operation {
            Operation::Opaque(opaque) => statement_of(opaque),
            _ => None,
        })
    }

    /// Where a node of [`statement`](Self::statement) stands.
    #[must_use]
    pub fn at(opaque: &Opaque, node: &impl AstNode) -> At {
        let inside = crate::lower::syntax::at(node.syntax());
        let length = |text: &str| u32::try_from(text.len()).unwrap_or(u32::MAX);
        // of an action of `alter table` only the action was written where it stands, the words before it are ours
        let ours = length(opaque.sql.sql()).saturating_sub(opaque.sql.at.end - opaque.sql.at.start);
        if inside.start < ours {
            return opaque.sql.at;
        }
        let start = opaque.sql.at.start;
        At { start: start + inside.start - ours, end: start + inside.end - ours }
    }
}

/// What a step may create, drop, rename or change.
fn touched(operation: &Operation) -> Vec<ObjectKey> {
    let Operation::Opaque(opaque) = operation else { return operation.touches() };
    let created = opaque.creates.iter().map(|(kind, name)| match kind {
        OtherKind::Relation => ObjectKey::Table(name.clone()),
        OtherKind::Type => ObjectKey::Type(name.clone()),
    });
    created.collect()
}

fn statement_of(opaque: &Opaque) -> Option<ast::Stmt> {
    let parsed = SourceFile::parse(opaque.sql.sql());
    if parsed.errors().is_empty() { parsed.tree().stmts().next() } else { None }
}

fn change(step: &Step) -> Option<&Operation> {
    match &step.action {
        Action::Change(operation) => Some(operation),
        Action::Declare { .. } | Action::Run { .. } | Action::Assert { .. } => None,
    }
}
