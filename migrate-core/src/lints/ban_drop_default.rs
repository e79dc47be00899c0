//! `ban_drop_default`: a column that needs a value no longer gets one by itself, while a release that doesn't give it
//! one is still running.
//!
//! - **Finds**: `drop default` and `drop identity` of a `not null` column that was there before and has none again at the
//!   end, of a table without triggers: one may fill it
//! - **Blocks**: nothing for long; but inserts that leave the column out fail from the commit on
//! - **Instead**: let the next release write the column, and drop the default after it
//! - **Source**: PostgreSQL manual, `INSERT`: a column that is left out gets its default, or null

use super::{Context, Findings, Lint, columns};
use crate::operation::Operation;
use crate::schema::Column;

pub(super) const LINT: Lint = Lint::of_statement("ban_drop_default", check);

fn check(context: &Context<'_>, findings: &mut Findings) {
    let (table, column) = match context.operation() {
        Some(Operation::DropDefault(drop)) => (&drop.table, &drop.column),
        Some(Operation::DropIdentity(drop)) => (&drop.table, &drop.column),
        _ => return,
    };
    let fills = |column: &Column| column.default.is_some() || column.identity.is_some() || column.generated.is_some();
    let needs = context.before().column(table, column.as_str()).is_some_and(|column| column.not_null && fills(column));
    let at_end = context.end().column(table, column.as_str()).is_some_and(|column| column.not_null && !fills(column));
    let has_trigger = context.before().triggers.get(table).is_some_and(|triggers| !triggers.is_empty());
    if !needs || !at_end || has_trigger || !columns::is_old(context, table, column) {
        return;
    }
    findings
        .find(column.at, format!("inserts of a running release that leave `{column}` out fail from the commit on"))
        .note("it is `not null`, and nothing else fills it")
        .instead(format!("let the next release write `{column}`, and drop the default after it"));
}
