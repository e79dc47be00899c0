//! Where a migration's transaction ends before the migration does.
//!
//! What is new to an enum type can't be used before the commit. And a lock that blocks readers or writers isn't held while
//! the rows of a large table are gone over: the transaction ends before that, and after it, where the next lock may have to
//! be waited for. It only ends where that is safe: what was done so far has to be something that the application can live
//! with alone, for as long as it takes until the rest is done, or is done by the next `up`.

use super::lowering::{Size, Sizes, bytes};
use super::planner::{Decision, Planned};
use migrate_core::effects::{Effects, LockMode, TransactionNeed};
use migrate_core::name::{QualifiedName, quote_literal};
use migrate_core::operation::Operation;
use migrate_core::ops::Opaque;
use migrate_core::schema::Schema;
use migrate_core::step::{Action, Step};
use migrate_core::verdict::Change;

/// What a step means for where transactions end. Nothing is known of a step that has none: it goes with what is around it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Bearing {
    /// The large table whose rows it goes over.
    slow: Option<(QualifiedName, Size)>,
    /// From how many bytes on a table is large.
    limit: u64,
    /// The locks that block readers or writers of what was there before.
    strong: Vec<(QualifiedName, LockMode)>,
    /// Whether the application can live with it being there while what follows isn't.
    stands_alone: bool,
    /// Whether it changes or copies rows.
    rows: bool,
    /// Whether rows may be lost by it, or nobody knows.
    loses: bool,
    /// Whether it says who may see or write what.
    guards: bool,
}

impl Bearing {
    /// Of a step that is going to be run. `before`: what was there when the database was read.
    pub(super) fn new(
        step: &Step,
        operation: &Operation,
        changes: &[Change],
        effects: &Effects,
        (live, before): (&Schema, &Schema),
        sizes: Option<&Sizes>,
    ) -> Self {
        let read = effects.scans.iter().chain(&effects.rewrites).cloned();
        let gone_over = step.goes_over.iter().flat_map(|table| std::iter::once(table.clone()).chain(live.descendants(table)));
        let large = |table: QualifiedName| Some((table.clone(), sizes?.tables.get(&table)?.size));
        let slow = if step.as_written { None } else { read.chain(gone_over).filter_map(large).max_by_key(|(_, size)| size.bytes) };
        let was_there = |table: &QualifiedName| before.tables.contains_key(table) || before.views.contains_key(table);
        let strong = effects.locks.iter().filter(|(table, mode)| *mode >= LockMode::Share && was_there(table));
        let rows = match operation {
            Operation::Opaque(opaque) => changes_rows(opaque) || !step.goes_over.is_empty(),
            Operation::CreateTableAs(create) => !create.without_data,
            _ => false,
        };
        Self {
            slow,
            limit: sizes.map(|sizes| sizes.limit).unwrap_or_default(),
            strong: strong.cloned().collect(),
            stands_alone: stands_alone(operation, changes),
            rows,
            loses: effects.loses_data || (effects.unknown && !rows),
            guards: matches!(
                operation,
                Operation::AlterOwner(_)
                    | Operation::AlterPolicy(_)
                    | Operation::AlterRowSecurity(_)
                    | Operation::CreatePolicy(_)
                    | Operation::DropPolicy(_)
                    | Operation::Grant(_)
                    | Operation::Revoke(_)
            ),
        }
    }

    /// Of Rust code and of assertions: what is before them is what they are about.
    pub(super) fn of_code() -> Self {
        Self { loses: true, ..Self::default() }
    }
}

/// Whether it changes rows and does nothing else.
fn changes_rows(opaque: &Opaque) -> bool {
    matches!(opaque.kind.as_str(), "insert" | "update" | "delete" | "merge")
}

/// Whether the application can live with a step being done while what follows isn't. What adds something is as good in a
/// migration of its own; what takes something away, or gives it another meaning, may be about to be made good.
fn stands_alone(operation: &Operation, changes: &[Change]) -> bool {
    let is_new = || changes.iter().all(|change| change.before.is_none());
    match operation {
        Operation::AddColumn(add) => {
            let column = &add.column;
            !column.not_null || column.default.is_some() || column.identity.is_some() || column.generated.is_some()
        }
        Operation::AddConstraint(_)
        | Operation::AddEnumValue(_)
        | Operation::CommentOn(_)
        | Operation::CreateComposite(_)
        | Operation::CreateDomain(_)
        | Operation::CreateEnum(_)
        | Operation::CreateExtension(_)
        | Operation::CreateIndex(_)
        | Operation::CreateSchema(_)
        | Operation::CreateSequence(_)
        | Operation::SetNotNull(_)
        | Operation::ValidateConstraint(_) => true,
        Operation::CreateTable(create) => !create.table.name.is_temporary(),
        Operation::CreateTableAs(create) => !create.table.name.is_temporary(),
        Operation::CreateRoutine(_) | Operation::CreateView(_) => is_new(),
        Operation::Opaque(opaque) => changes_rows(opaque),
        _ => false,
    }
}

/// The transaction that is open, and what was done in it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Open {
    begun: bool,
    /// The quoted labels that it has added to enum types.
    labels: Vec<String>,
    held: Vec<(QualifiedName, LockMode)>,
    slow: Option<(QualifiedName, Size)>,
    rows: bool,
    /// Whether what follows belongs to what was done.
    bound: bool,
}

/// Why a transaction ends before a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// The step may use a label that can't be used before the commit.
    Label,
    /// The step takes long, and this lock would be held meanwhile.
    Slow { table: QualifiedName, size: Size, limit: u64, held: (QualifiedName, LockMode) },
    /// Something before it has taken long, and the step may have to wait for this lock.
    Waits { table: QualifiedName, size: Size, limit: u64, awaited: (QualifiedName, LockMode) },
}

impl Open {
    /// Whether the transaction ends before the first of these steps, which is to be run in one, and why. `completes`: no
    /// others follow.
    pub(crate) fn ends_before(&self, steps: &[Planned], completes: bool) -> Option<End> {
        let next = steps.first().filter(|_| self.begun)?;
        if self.may_use_label(next) {
            return Some(End::Label);
        }
        let bearing = &next.bearing;
        let own = |table: &QualifiedName| bearing.strong.iter().find(|(locked, _)| locked == table).map(|(_, mode)| *mode);
        let held = |table: &QualifiedName| self.held.iter().find(|(locked, _)| locked == table).map(|(_, mode)| *mode);
        let end = match (&bearing.slow, &self.slow) {
            (Some((table, size)), _) if self.held.iter().any(|(table, mode)| Some(*mode) > own(table)) => {
                let extra = self.held.iter().filter(|(table, mode)| Some(*mode) > own(table)).max_by_key(|(_, mode)| *mode)?;
                End::Slow { table: table.clone(), size: *size, limit: bearing.limit, held: extra.clone() }
            }
            (_, Some((table, size))) if !next.step.as_written => {
                let mut awaited = bearing.strong.iter().filter(|(table, mode)| Some(*mode) > held(table));
                End::Waits { table: table.clone(), size: *size, limit: bearing.limit, awaited: awaited.next()?.clone() }
            }
            _ => return None,
        };
        self.may_end_before(steps, completes).then_some(end)
    }

    /// Rows that were written aren't parted from other rows, from what may lose them, nor from what looks at them: so nothing
    /// waits for the end of the transaction that comes later, either.
    fn may_end_before(&self, steps: &[Planned], completes: bool) -> bool {
        let mut later = steps.iter().filter(|planned| planned.decision == Decision::Run).map(|planned| &planned.bearing);
        let needs_rows = |bearing: &Bearing| bearing.rows || bearing.loses;
        !self.bound && !later.clone().any(|bearing| bearing.guards) && (!self.rows || (completes && !later.any(needs_rows)))
    }

    fn may_use_label(&self, planned: &Planned) -> bool {
        let names_one = |text: &str| self.labels.iter().any(|label| text.contains(label.as_str()));
        match &planned.step.action {
            Action::Change(_) if adds_label(planned) => false,
            Action::Change(_) => planned.sql.iter().any(|sql| names_one(sql)),
            Action::Run { .. } => !self.labels.is_empty(),
            Action::Assert { query, .. } => names_one(query),
            Action::Declare { .. } => false,
        }
    }

    /// Notes a step that is run in the transaction.
    pub(crate) fn take(&mut self, planned: &Planned) {
        self.begun = true;
        if let Action::Change(Operation::AddEnumValue(added)) = &planned.step.action
            && adds_label(planned)
        {
            self.labels.push(quote_literal(added.label.as_str()));
        }
        let bearing = &planned.bearing;
        for (table, mode) in &bearing.strong {
            match self.held.iter_mut().find(|(locked, _)| locked == table) {
                Some((_, strongest)) => *strongest = (*strongest).max(*mode),
                None => self.held.push((table.clone(), *mode)),
            }
        }
        self.slow = self.slow.take().or_else(|| bearing.slow.clone());
        self.rows |= bearing.rows;
        self.bound |= !bearing.stands_alone;
    }
}

fn adds_label(planned: &Planned) -> bool {
    planned.effects.transaction == TransactionNeed::CommitBeforeUse
}

impl std::fmt::Display for End {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let large = |size: &Size, limit: u64| match size.bytes {
            Some(size) => format!("has {}, and {} is large", bytes(size), bytes(limit)),
            None => format!("could not be measured, as somebody has it locked, and {} is large", bytes(limit)),
        };
        match self {
            Self::Label => f.write_str("begins a transaction: a label of an enum type can't be used before the commit"),
            Self::Slow { table, size, limit, held: (held, mode) } => write!(
                f,
                "begins a transaction, so that {} on `{held}` isn't held meanwhile: `{table}` {}",
                mode.pg_locks_name(),
                large(size, *limit)
            ),
            Self::Waits { table, size, limit, awaited: (awaited, mode) } => write!(
                f,
                "begins a transaction, so that what was done with `{table}` doesn't wait for {} on `{awaited}`: `{table}` {}",
                mode.pg_locks_name(),
                large(size, *limit)
            ),
        }
    }
}
