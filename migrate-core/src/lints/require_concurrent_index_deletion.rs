//! `require_concurrent_index_deletion`: an index is dropped while nobody can read or write.
//!
//! - **Finds**: `drop index` without `concurrently`, of an index and a table that were there before
//! - **Blocks**: reads and writes of the table; it is done at once, but it waits for every query that is running, and
//!   all others wait for it
//! - **Instead**: `drop index concurrently`, which waits without blocking anybody
//! - **Source**: PostgreSQL manual, `DROP INDEX`, `CONCURRENTLY`; squawk `require-concurrent-index-deletion`; eugene
//!   E9

use super::{Context, Findings, Lint, constraints};
use crate::operation::Operation;
use crate::schema::ObjectKey;

pub(super) const LINT: Lint = Lint::of_statement("require_concurrent_index_deletion", check);

fn check(context: &Context<'_>, findings: &mut Findings) {
    let Some(Operation::DropIndex(drop)) = context.operation() else { return };
    let before = context.before();
    let of_other = before.others.get(&drop.name).and_then(|other| other.of.as_ref());
    let Some(table) = drop.table.as_ref().or(of_other) else { return };
    let is_new = context.is_new(&ObjectKey::Index(drop.name.clone())) || context.is_new(&ObjectKey::View(table.clone()));
    if drop.concurrently || is_new || context.is_new_table(table) || constraints::is_partitioned(context, table) {
        return;
    }
    findings
        .find(drop.name.at(), format!("index `{}` is dropped while nobody can read `{table}`", drop.name))
        .maybe_note(context.wait(table))
        .instead("write `drop index concurrently`: it runs outside the transaction, and is journalled as a step of its own");
}
