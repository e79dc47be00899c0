//! `dropping_unique_guarantee`: from now on there may be two rows where there could be one.
//!
//! - **Finds**: a dropped unique constraint or unique index of a table that was there before, with nothing at the end of the
//!   migration that makes the same columns unique, and nothing unique built in its place
//! - **Blocks**: nothing; `insert … on conflict` on its columns fails at once, and once there are duplicates, nobody can have
//!   the guarantee back without deleting rows
//! - **Instead**: build the unique index that takes its place before the drop, or acknowledge that duplicates are meant
//! - **Source**: PostgreSQL manual, `INSERT`, `ON CONFLICT` Clause: SQLSTATE 42P10

use super::{Context, Findings, Lint, indexes, words};
use crate::name::{Name, QualifiedName};
use crate::operation::Operation;
use crate::schema::{ConstraintKind, IndexKeyKind, ObjectKey, Table};

pub(super) const LINT: Lint = Lint::of_history("dropping_unique_guarantee", check);

fn check(context: &Context<'_>, findings: &mut Findings) {
    let Some((table, columns, key)) = dropped(context) else { return };
    let Some(end) = context.end().table(&table.name) else { return };
    let gone = columns.iter().any(|column| end.column(column.as_str()).is_none());
    // nobody knows the table by the name that this migration gave it
    let renamed = context.start().table(&table.name).is_none();
    if gone || renamed || indexes::is_unique(end, &columns) || has_new_unique(context, &table.name, end) {
        return;
    }
    let columns = words::columns(&columns);
    findings
        .find(context.place(), format!("nothing else makes the rows of `{}` unique by `{columns}`", table.name))
        .note("`insert … on conflict` on these columns fails from the commit on".to_owned())
        .maybe_note(context.creator(&key).map(|place| format!("it was created by {place}")))
        .instead("build the unique index that takes its place before the drop");
}

/// The older table, and the columns that something of it made unique before the step dropped it. The primary key has a
/// lint of its own.
fn dropped<'a>(context: &Context<'a>) -> Option<(&'a Table, Vec<Name>, ObjectKey)> {
    match context.operation()? {
        Operation::DropConstraint(drop) => {
            let table = context.old_table(&drop.table)?;
            let ConstraintKind::Unique(key) = &table.constraints.get(&drop.name)?.kind else { return None };
            let dropped = ObjectKey::Constraint(drop.table.clone(), drop.name.clone());
            (!context.is_new(&dropped)).then(|| (table, key.columns.clone(), dropped))
        }
        Operation::DropIndex(drop) => {
            let table = context.before().table_of_index(&drop.name)?;
            let index = table.indexes.get(&drop.name.name).filter(|index| index.unique && index.valid && index.predicate.is_none())?;
            let column = |key: &crate::schema::IndexKey| match &key.kind {
                IndexKeyKind::Column(name) => Some(name.clone()),
                IndexKeyKind::Expression(_) => None,
            };
            let columns = index.keys.iter().map(column).collect::<Option<Vec<_>>>()?;
            let dropped = ObjectKey::Index(drop.name.clone());
            (!context.is_new(&dropped) && !context.is_new_table(&table.name)).then_some((table, columns, dropped))
        }
        _ => None,
    }
}

/// Whether the migration makes something else of the table unique: the guarantee is replaced by another.
fn has_new_unique(context: &Context<'_>, name: &QualifiedName, end: &Table) -> bool {
    let start = context.start().table(name);
    let known = |access: &indexes::Access<'_>| start.is_some_and(|start| indexes::of_table(start).iter().any(|old| old.name == access.name));
    indexes::of_table(end).iter().any(|access| access.unique && !known(access))
}
