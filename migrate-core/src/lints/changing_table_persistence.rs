//! `changing_table_persistence`: a table becomes logged or unlogged, and is written anew for that.
//!
//! - **Finds**: `set logged` and `set unlogged` of a table that was there before
//! - **Blocks**: reads and writes of the table, while every row and every index is written anew; what is unlogged is
//!   empty after a crash, and on no replica
//! - **Instead**: create a table of the other kind, keep it in step with a trigger, fill it in batches, and exchange
//!   the names
//! - **Source**: PostgreSQL manual, `ALTER TABLE`, `SET { LOGGED | UNLOGGED }`

use super::{Context, Findings, Lint};
use crate::operation::Operation;
use crate::ops::StorageChange;

pub(super) const LINT: Lint = Lint::of_statement("changing_table_persistence", check);

fn check(context: &Context<'_>, findings: &mut Findings) {
    let Some(Operation::AlterStorage(alter)) = context.operation() else { return };
    let table = &alter.table;
    let unlogged = match alter.change {
        StorageChange::Logged => false,
        StorageChange::Unlogged => true,
        _ => return,
    };
    // where it is so already, nothing happens
    if !context.effects().rewrites.contains(table) || context.is_new_table(table) {
        return;
    }
    let lost = unlogged.then(|| format!("after a crash `{table}` is empty, and replicas don't have it"));
    findings
        .find(table.at(), format!("every row of `{table}` is written anew"))
        .maybe_note(context.wait(table))
        .maybe_note(lost)
        .instead("create a table of the other kind, keep it in step with a trigger, fill it in batches, and exchange the names");
}
