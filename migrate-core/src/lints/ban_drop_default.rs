//! `ban_drop_default`: a column that needs a value no longer gets one by itself, while a release that doesn't give it
//! one is still running.
//!
//! - **Finds**: `drop default` and `drop identity` of a `not null` column that has none again at the end, of a table
//!   that was there before; the column may be new
//! - **Blocks**: nothing for long; but inserts that leave the column out fail from the commit on
//! - **Instead**: let the next release write the column, and drop the default after it
//! - **Source**: PostgreSQL manual, `INSERT`: a column that is left out gets its default, or null

use super::{Context, Findings, Lint};
use crate::operation::Operation;
use crate::schema::{Column, ObjectKey};

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
    if !needs || !at_end || context.is_new_table(table) {
        return;
    }
    let unknown = context.is_new(&ObjectKey::Column(table.clone(), column.clone()));
    let who = if unknown { "a release that doesn't know the column leaves it out" } else { "it is `not null`, and nothing else fills it" };
    findings
        .find(column.at, format!("inserts of a running release that leave `{column}` out fail from the commit on"))
        .note(who)
        .instead(format!("let the next release write `{column}`, and drop the default after it"));
}
