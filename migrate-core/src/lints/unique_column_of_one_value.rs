//! `unique_column_of_one_value`: a new column has the same value in all rows, and has to be unique.
//!
//! - **Finds**: a unique constraint or index of a single column that the same migration added to an older table with a
//!   default that is the same for all rows, and that nothing has filled in between
//! - **Blocks**: nothing; the migration fails with SQLSTATE 23505 wherever the table has two rows, and works where nobody uses it
//! - **Instead**: add the column without a default: nulls don't count as equal; fill it, and make it unique then
//! - **Source**: PostgreSQL manual, "Unique Constraints"

use super::{Context, Findings, Lint, data, new_constraints};
use crate::name::{At, Name, QualifiedName};
use crate::operation::Operation;
use crate::schema::{ConstraintKind, IndexKeyKind};

pub(super) const LINT: Lint = Lint::of_history("unique_column_of_one_value", check);

fn check(context: &Context<'_>, findings: &mut Findings) {
    for (table, column, at) in made_unique(context) {
        if context.is_new_table(table) || context.start().table(table).is_none() || data::is_after_data(context, table) {
            continue;
        }
        let current = context.operation().into_iter();
        let mut operations = context.earlier().map(|(operation, _)| operation).chain(current);
        let added = operations.find_map(|operation| match operation {
            Operation::AddColumn(add) if add.table == *table && add.column.name == *column => Some(&add.column),
            _ => None,
        });
        let is_old = context.start().column(table, column.as_str()).is_some();
        let Some(default) = added.and_then(|added| added.default.as_ref()).filter(|_| !is_old) else { continue };
        if default.may_be_volatile() || default.sql().to_lowercase().starts_with("null") || !default.sequences().is_empty() {
            continue;
        }
        findings
            .find(at, format!("`{column}` is `{}` in every row of `{table}`, so this fails wherever there are two", default.sql()))
            .instead(format!("add `{column}` without a default, and fill it before it has to be unique"));
    }
}

/// The single columns that the step makes unique.
fn made_unique<'a>(context: &Context<'a>) -> Vec<(&'a QualifiedName, &'a Name, At)> {
    if let Some(Operation::CreateIndex(create)) = context.operation() {
        let index = &create.index;
        return match index.keys.as_slice() {
            [key] if index.unique && index.predicate.is_none() => match &key.kind {
                IndexKeyKind::Column(column) => vec![(&create.table, column, column.at)],
                IndexKeyKind::Expression(_) => Vec::new(),
            },
            _ => Vec::new(),
        };
    }
    let added = new_constraints::added(context).into_iter();
    let unique = added.filter_map(|(table, constraint)| match &constraint.kind {
        ConstraintKind::Unique(key) | ConstraintKind::PrimaryKey(key) => match key.columns.as_slice() {
            [column] => Some((table, column, if column.at.end > 0 { column.at } else { new_constraints::at(table, constraint) })),
            _ => None,
        },
        _ => None,
    });
    unique.collect()
}
