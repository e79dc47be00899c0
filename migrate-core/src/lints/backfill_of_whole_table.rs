//! `backfill_of_whole_table`: every row of a table is written in one transaction.
//!
//! - **Finds**: `update` of all rows of a table that was there before: without `where` and only of new columns, `where true`,
//!   or where a new column is null
//! - **Blocks**: every other write of each row, from its update until the migration commits; the table doubles, and nothing
//!   can be vacuumed meanwhile
//! - **Instead**: `backfill update … in batches of 1000`: ranges of the key, each in a transaction of its own
//! - **Source**: `strong_migrations`, "Backfilling data"; PostgreSQL manual, "Routine Vacuuming"

use super::data::{self, Rows};
use super::{Context, Findings, Lint};
use crate::schema::ObjectKey;

pub(super) const LINT: Lint = Lint::of_history("backfill_of_whole_table", check).warns();

fn check(context: &Context<'_>, findings: &mut Findings) {
    // while a lock is held, that is what has to be said
    if !context.held_locks().is_empty() {
        return;
    }
    for write in data::writes(context).into_iter().filter(|write| write.verb == "update") {
        let table = &write.table;
        let is_new = |column: &crate::name::Name| context.is_new(&ObjectKey::Column(table.clone(), column.clone()));
        let all = match write.rows {
            Rows::Unsaid => write.columns.iter().all(is_new),
            Rows::All => true,
            Rows::Few | Rows::Some => false,
        };
        if all && context.old_table(table).is_some() {
            findings
                .find(write.at, format!("every row of `{table}` is written in one transaction"))
                .note(format!("other writes of a row of `{table}` wait from its update until the migration commits"))
                .instead("write `backfill update … in batches of 1000`: each batch is a transaction of its own");
        }
    }
}
