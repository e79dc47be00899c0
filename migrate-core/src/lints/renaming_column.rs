//! `renaming_column`: a column has another name from the commit on, while a release that knows the old one is still
//! running.
//!
//! - **Finds**: `rename column` of a column and a table that were there before
//! - **Blocks**: nothing for long; but queries that name the column fail from the commit on
//! - **Instead**: add a column of the new name, keep both in step with a trigger, fill the old rows in batches, and
//!   drop the old one when no release reads it
//! - **Source**: squawk `renaming-column`

use super::{Context, Findings, Lint, columns};
use crate::operation::Operation;
use crate::schema::ObjectKey;

pub(super) const LINT: Lint = Lint::of_statement("renaming_column", check);

fn check(context: &Context<'_>, findings: &mut Findings) {
    let Some(Operation::RenameColumn(rename)) = context.operation() else { return };
    let (table, column) = (&rename.table, &rename.column);
    if !columns::is_old(context, table, column) || context.is_new(&ObjectKey::View(table.clone())) {
        return;
    }
    // another one of its name may take its place
    let taken = context.end().column(table, column.as_str()).is_some();
    let what = if taken { "find another column" } else { "fail" };
    findings
        .find(column.at, format!("queries of a running release that name `{column}` {what} from the commit on"))
        .maybe_note(context.wait(table))
        .instead(format!("add `{}`, keep both in step with a trigger, and drop `{column}` when no release reads it", rename.to));
}
