//! `ban_drop_column`: a column goes, with its data, while a release that reads it is still running.
//!
//! - **Finds**: `drop column` of a column that was there before the migration
//! - **Blocks**: nothing for long; but queries that name the column fail from the commit on, and its data is lost
//! - **Instead**: release the code that no longer reads or writes it first, and acknowledge the drop with the release
//! - **Source**: squawk `ban-drop-column`

use super::{Context, Findings, Lint};
use crate::operation::Operation;
use crate::schema::ObjectKey;

pub(super) const LINT: Lint = Lint::of_statement("ban_drop_column", check);

fn check(context: &Context<'_>, findings: &mut Findings) {
    let Some(Operation::DropColumn(drop)) = context.operation() else { return };
    let (table, column) = (&drop.table, &drop.column);
    if context.is_new_table(table) || !context.is_old(&ObjectKey::Column(table.clone(), column.clone())) {
        return;
    }
    // another one of its name may take its place
    let taken = context.end().column(table, column.as_str()).is_some();
    let queries = if taken { "queries that name it find another one" } else { "queries that still name it fail" };
    findings
        .find(column.at, format!("`{column}` goes with its data, and {queries}"))
        .maybe_note(context.wait(table))
        .instead(format!("release code that does without `{column}` first; then say so in the reason of an `#[allow]`"));
}
