//! `renaming_table`: a table has another name from the commit on, while a release that knows the old one is still
//! running.
//!
//! - **Finds**: `rename to` of a table that was there before, unless the migration leaves a view of the old name
//! - **Blocks**: nothing for long; but queries that name the table fail from the commit on
//! - **Instead**: create a view of the old name in the same migration: a plain one takes inserts, updates and
//!   deletes, too
//! - **Source**: PostgreSQL manual, `CREATE VIEW`, "Updatable Views"; squawk `renaming-table`; eugene E4

use super::{Context, Findings, Lint};
use crate::operation::Operation;

pub(super) const LINT: Lint = Lint::of_statement("renaming_table", check);

fn check(context: &Context<'_>, findings: &mut Findings) {
    let Some(Operation::RenameTable(rename)) = context.operation() else { return };
    let table = &rename.table;
    if context.is_new_table(table) || context.end().relation_kind(table).is_some() {
        return;
    }
    findings
        .find(table.at(), format!("queries of a running release that name `{table}` fail from the commit on"))
        .maybe_note(context.wait(table))
        .instead(format!("`create view {} as select * from {}` in the same migration", table.quoted(), table.sibling(rename.to.clone()).quoted()));
}
