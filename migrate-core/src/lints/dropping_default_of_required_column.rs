//! `dropping_default_of_required_column`: a new column has a default for the old rows alone, and none for those that a
//! running release inserts.
//!
//! - **Finds**: `drop default` of a column that the same migration adds and that is `not null` and has no other default at
//!   the end of it, of a table that was there before and has no triggers
//! - **Blocks**: every insert of the release that is running fails from the commit on: it doesn't know the column
//! - **Instead**: keep the default until a release names the column in every insert
//! - **Source**: PostgreSQL manual, `ALTER TABLE`; `strong_migrations`, "Adding a column with a default value"

use super::{Context, Findings, Lint};
use crate::operation::Operation;
use crate::schema::ObjectKey;

pub(super) const LINT: Lint = Lint::of_history("dropping_default_of_required_column", check);

fn check(context: &Context<'_>, findings: &mut Findings) {
    let Some(Operation::DropDefault(drop)) = context.operation() else { return };
    let (table, column) = (&drop.table, &drop.column);
    let Some(had_default) = context.before().column(table, column.as_str()).map(|column| column.default.is_some()) else { return };
    let Some(end) = context.end().column(table, column.as_str()).filter(|_| context.old_table(table).is_some()) else { return };
    let filled = end.default.is_some() || end.identity.is_some() || end.generated.is_some();
    // a trigger may fill it
    let has_trigger = context.before().triggers.get(table).is_some_and(|triggers| !triggers.is_empty());
    let is_new = context.is_new(&ObjectKey::Column(table.clone(), column.clone()));
    if !is_new || !had_default || !end.not_null || filled || has_trigger {
        return;
    }
    findings
        .find(column.at, format!("inserts that leave out `{column}` fail from the commit on"))
        .note(format!("the release that is running doesn't know `{column}`, so all of its inserts leave it out"))
        .instead(format!("keep the default until a release names `{column}` in every insert"));
}
