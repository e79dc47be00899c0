//! `dropping_default_of_required_column`: what inserts without the column relied on is gone.
//!
//! - **Finds**: `drop default` of a column that is `not null` and has no other default at the end of the migration, of a
//!   table that was there before and has no triggers
//! - **Blocks**: every insert that leaves the column out fails from the commit on: those of the release that is running, if
//!   it doesn't name the column
//! - **Instead**: release code that names the column in every insert first, and acknowledge the drop with the release
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
    if !had_default || !end.not_null || filled || has_trigger {
        return;
    }
    let key = ObjectKey::Column(table.clone(), column.clone());
    let since = if context.is_new(&key) {
        Some(format!("the release that is running doesn't know `{column}`, so all of its inserts leave it out"))
    } else {
        context.creator(&key).map(|place| format!("`{column}` was created by {place}"))
    };
    findings
        .find(column.at, format!("inserts that leave out `{column}` fail from the commit on"))
        .maybe_note(since)
        .instead(format!("keep the default until a release names `{column}` in every insert"));
}
