//! The constraints that a step adds.

use super::Context;
use crate::name::{At, QualifiedName};
use crate::operation::Operation;
use crate::schema::{Constraint, ConstraintKind, ForeignKey, Table};

/// Each constraint that the step adds, with its table.
pub(super) fn added<'a>(context: &Context<'a>) -> Vec<(&'a QualifiedName, &'a Constraint)> {
    match context.operation() {
        Some(Operation::AddConstraint(add)) => vec![(&add.table, &add.constraint)],
        Some(Operation::AddColumn(add)) => add.constraints.iter().map(|constraint| (&add.table, constraint)).collect(),
        Some(Operation::CreateTable(create)) => create.constraints.iter().map(|constraint| (&create.table.name, constraint)).collect(),
        _ => Vec::new(),
    }
}

/// The foreign keys among them, with their constraints.
pub(super) fn added_foreign_keys<'a>(context: &Context<'a>) -> Vec<(&'a QualifiedName, &'a Constraint, &'a ForeignKey)> {
    let key = |(table, constraint): (&'a QualifiedName, &'a Constraint)| match &constraint.kind {
        ConstraintKind::ForeignKey(key) => Some((table, constraint, key)),
        _ => None,
    };
    added(context).into_iter().filter_map(key).collect()
}

/// The foreign keys of a table.
pub(super) fn foreign_keys(table: &Table) -> impl Iterator<Item = (&Constraint, &ForeignKey)> {
    table.constraints.values().filter_map(|constraint| match &constraint.kind {
        ConstraintKind::ForeignKey(key) => Some((constraint, key)),
        _ => None,
    })
}

/// Where a constraint was written: its name, or what it is about, or its table.
pub(super) fn at(table: &QualifiedName, constraint: &Constraint) -> At {
    let about = match &constraint.kind {
        ConstraintKind::PrimaryKey(key) | ConstraintKind::Unique(key) => key.columns.first().map(|column| column.at),
        ConstraintKind::ForeignKey(key) => key.columns.first().map(|column| column.at),
        ConstraintKind::Check { expression, .. } => Some(expression.at),
        ConstraintKind::Exclude { definition } => Some(definition.at),
    };
    [Some(constraint.name.at), about, Some(table.at())].into_iter().flatten().find(|at| at.end > 0).unwrap_or_default()
}
