//! `ban_drop_not_null`: a column may be null from the commit on, while a release that counts on a value is still
//! running.
//!
//! - **Finds**: `drop not null` of a column that was there before
//! - **Blocks**: nothing for long; but a program that reads a null where it never was one may fail
//! - **Instead**: release the code that reads nulls first, and acknowledge the change with the release
//! - **Source**: squawk `ban-drop-not-null`

use super::{Context, Findings, Lint, columns};
use crate::operation::Operation;

pub(super) const LINT: Lint = Lint::of_statement("ban_drop_not_null", check).warns();

fn check(context: &Context<'_>, findings: &mut Findings) {
    let Some(Operation::DropNotNull(drop)) = context.operation() else { return };
    let (table, column) = (&drop.table, &drop.column);
    let not_null = |table: Option<&crate::schema::Table>| table.and_then(|table| table.column(column.as_str())).is_some_and(|column| column.not_null);
    let before = context.before().table(table);
    if (before.is_some() && !not_null(before)) || not_null(context.end().table(table)) || !columns::is_old(context, table, column) {
        return;
    }
    findings
        .find(column.at, format!("a release that counts on a value of `{column}` may fail on a null"))
        .instead(format!("release code that reads a `{column}` without a value first; then say so in the reason of an `#[allow]`"));
}
