//! `require_concurrent_index_creation`: an index is built while nobody can write.
//!
//! - **Finds**: `create index` without `concurrently` on a table that was there before
//! - **Blocks**: writes to the table, while every row is read and sorted
//! - **Instead**: `create index concurrently`, which takes longer and blocks neither reads nor writes
//! - **Source**: PostgreSQL manual, `CREATE INDEX`, "Building Indexes Concurrently"; squawk
//!   `require-concurrent-index-creation`

use super::{Context, Findings, Lint};
use crate::operation::Operation;
use crate::schema::{ObjectKey, Table};

pub(super) const LINT: Lint = Lint::of_statement("require_concurrent_index_creation", check);

fn check(context: &Context<'_>, findings: &mut Findings) {
    let Some(Operation::CreateIndex(create)) = context.operation() else { return };
    let table = &create.table;
    let on_new_view = context.is_new(&ObjectKey::View(table.clone()));
    let partitioned = context.before().table(table).is_some_and(Table::is_partitioned);
    if create.concurrently || on_new_view || partitioned || context.has_no_rows(table) {
        return;
    }
    findings
        .find(create.index.name.at, format!("index `{}` is built while nobody can write to `{table}`", create.index.name))
        .maybe_note(context.wait(table))
        .instead("write `create index concurrently`: it runs outside the transaction, and is journalled as a step of its own");
}
