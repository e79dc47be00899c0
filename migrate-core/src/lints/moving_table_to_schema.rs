//! `moving_table_to_schema`: a table is in another schema from the commit on, while a release that knows it in the
//! old one is still running.
//!
//! - **Finds**: `set schema` of a table that was there before, unless the migration leaves a view in the old place
//! - **Blocks**: nothing for long; but queries that name the table fail from the commit on, or find another one
//! - **Instead**: create a view in the old place in the same migration: a plain one takes inserts, updates and
//!   deletes, too
//! - **Source**: PostgreSQL manual, `CREATE VIEW`, "Updatable Views"

use super::{Context, Findings, Lint};
use crate::name::QualifiedName;
use crate::operation::Operation;

pub(super) const LINT: Lint = Lint::of_statement("moving_table_to_schema", check);

fn check(context: &Context<'_>, findings: &mut Findings) {
    let Some(Operation::SetTableSchema(set)) = context.operation() else { return };
    let table = &set.table;
    if context.is_new_table(table) || set.schema == table.schema || context.end().relation_kind(table).is_some() {
        return;
    }
    let moved = QualifiedName { schema: set.schema.clone(), name: table.name.clone() };
    findings
        .find(table.at(), format!("queries of a running release that name `{table}` fail from the commit on"))
        .maybe_note(context.wait(table))
        .instead(format!("`create view {} as select * from {}` in the same migration", table.quoted(), moved.quoted()));
}
