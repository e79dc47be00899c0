//! `cascade_drops_more`: `cascade` takes down what nobody named.
//!
//! - **Finds**: a drop with `cascade` with which other views, foreign keys, columns or tables fall that were there before
//! - **Blocks**: reads and writes of everything that falls, until the migration commits; whoever uses it fails afterwards
//! - **Instead**: drop each of them by name first, and the object itself without `cascade`
//! - **Source**: PostgreSQL manual, "Dependency Tracking"

use super::{Context, Findings, Lint, words};
use crate::operation::{Operate, Operation};
use crate::schema::{ObjectKey, Origin, Schema, Table};

pub(super) const LINT: Lint = Lint::of_history("cascade_drops_more", check);

fn check(context: &Context<'_>, findings: &mut Findings) {
    let cascades = match context.operation() {
        Some(Operation::DropColumn(drop)) => drop.cascade,
        Some(Operation::DropConstraint(drop)) => drop.cascade,
        Some(Operation::DropIndex(drop)) => drop.cascade,
        Some(Operation::DropSchema(drop)) => drop.cascade,
        Some(Operation::DropSequence(drop)) => drop.cascade,
        Some(Operation::DropTable(drop)) => drop.cascade,
        Some(Operation::DropType(drop)) => drop.cascade,
        Some(Operation::DropView(drop)) => drop.cascade,
        _ => false,
    };
    let Some(operation) = context.operation().filter(|_| cascades) else { return };
    let mut after = context.before().clone();
    operation.apply(&mut after, &Origin::default());
    let named = operation.touches();
    let mut fallen = fallen(context.before(), &after);
    fallen.retain(|key| !named.contains(key) && !context.is_new(key) && key.table().is_none_or(|table| !context.is_new_table(table)));
    let Some(first) = fallen.first() else { return };
    let (verb, what) = if fallen.len() == 1 { ("falls", "it") } else { ("fall", "each of them") };
    let with = named.first().map_or_else(|| "it".to_owned(), |key| format!("`{}`", key.name()));
    let maker = context.creator(first).map(|place| format!("{} was created by {place}", words::objects([first])));
    findings
        .find(context.place(), format!("{} {verb} with {with}", words::objects(&fallen)))
        .maybe_note(maker)
        .instead(format!("drop {what} by name first, and leave `cascade` out"));
}

/// What is no longer there, without what belongs to a table that fell.
fn fallen(before: &Schema, after: &Schema) -> Vec<ObjectKey> {
    let views = before.views.keys().filter(|view| !after.views.contains_key(*view)).cloned().map(ObjectKey::View);
    let tables = before.tables.keys().filter(|table| !after.tables.contains_key(*table)).cloned().map(ObjectKey::Table);
    let both = before.tables.values().filter_map(|table| Some((table, after.table(&table.name)?)));
    tables.chain(views).chain(both.flat_map(|(table, after)| parts(table, after))).collect()
}

/// What a table has lost: columns, and constraints that didn't fall with a column.
fn parts(before: &Table, after: &Table) -> Vec<ObjectKey> {
    let lost: Vec<_> = before.columns.iter().filter(|column| after.column(column.name.as_str()).is_none()).collect();
    let with_column = |kind: &crate::schema::ConstraintKind| lost.iter().any(|column| kind.involves(column.name.as_str()));
    let constraints = before.constraints.values().filter(|constraint| !after.constraints.contains_key(&constraint.name));
    let constraints = constraints.filter(|constraint| !with_column(&constraint.kind));
    let constraints = constraints.map(|constraint| ObjectKey::Constraint(before.name.clone(), constraint.name.clone()));
    let columns = lost.iter().map(|column| ObjectKey::Column(before.name.clone(), column.name.clone()));
    columns.chain(constraints).collect()
}
