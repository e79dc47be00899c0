//! The constraints that a step adds to a table that was there before.

use super::{Context, columns};
use crate::name::{At, QualifiedName};
use crate::operation::Operation;
use crate::schema::{Constraint, ConstraintKind, Table};

/// A constraint that is new on a table that may have rows.
pub(super) struct Added<'a> {
    pub(super) table: &'a QualifiedName,
    pub(super) constraint: &'a Constraint,
    /// Whether it came with its column.
    pub(super) with_column: bool,
}

/// The constraints that a step adds to a table that may have rows, those with `using index` and with `only` not included.
pub(super) fn added<'a>(context: &Context<'a>) -> Vec<Added<'a>> {
    let (table, constraints, with_column): (_, Vec<_>, _) = match context.operation() {
        Some(Operation::AddConstraint(add)) if add.using_index.is_none() && !(add.only && is_partitioned(context, &add.table)) => {
            (&add.table, vec![&add.constraint], false)
        }
        Some(Operation::AddColumn(_)) => {
            let Some(add) = columns::on_old_table(context) else { return Vec::new() };
            (&add.table, add.constraints.iter().collect(), true)
        }
        _ => return Vec::new(),
    };
    let present = |constraint: &&Constraint| {
        let known = context.before().table(table);
        known.is_some_and(|known| known.constraints.contains_key(&constraint.name))
    };
    if context.has_no_rows(table) {
        return Vec::new();
    }
    let new = constraints.into_iter().filter(|constraint| !present(constraint));
    new.map(|constraint| Added { table, constraint, with_column }).collect()
}

/// Whether the table is partitioned: then some of what is safe elsewhere is refused.
pub(super) fn is_partitioned(context: &Context<'_>, table: &QualifiedName) -> bool {
    context.before().table(table).is_some_and(Table::is_partitioned)
}

/// Where a constraint was written: its name, or else the first thing that it names.
pub(super) fn at(constraint: &Constraint) -> At {
    let first = match &constraint.kind {
        ConstraintKind::PrimaryKey(key) | ConstraintKind::Unique(key) => key.columns.first().map(|column| column.at),
        ConstraintKind::ForeignKey(key) => key.columns.first().map(|column| column.at),
        ConstraintKind::Check { expression, .. } => Some(expression.at),
        ConstraintKind::Exclude { definition } => Some(definition.at),
    };
    let is_written = |at: &At| at.end > at.start;
    Some(constraint.name.at).filter(is_written).or(first).unwrap_or_default()
}
