//! `ban_drop_table`: a table goes, with its data, while a release that reads it is still running.
//!
//! - **Finds**: `drop table` of a table that was there before the migration
//! - **Blocks**: nothing for long; but queries that name the table fail from the commit on, and its data is lost
//! - **Instead**: release the code that no longer reads or writes it first, and acknowledge the drop with the release
//! - **Source**: squawk `ban-drop-table`

use super::{Context, Findings, Lint};
use crate::operation::Operation;
use crate::schema::ObjectKey;

pub(super) const LINT: Lint = Lint::of_statement("ban_drop_table", check);

fn check(context: &Context<'_>, findings: &mut Findings) {
    let Some(Operation::DropTable(drop)) = context.operation() else { return };
    let table = &drop.name;
    // a name that this migration gave it is in no query yet; that it lost the other one is told where it was renamed
    let named = context.start().relation_kind(table).is_some();
    if named && context.is_old(&ObjectKey::Table(table.clone())) {
        findings
            .find(table.at(), format!("`{table}` goes with its data, and queries that still name it fail"))
            .maybe_note(context.wait(table))
            .instead(format!("release code that does without `{table}` first; then say so in the reason of an `#[allow]`"));
    }
}
