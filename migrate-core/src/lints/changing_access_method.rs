//! `changing_access_method`: a table is stored in another way, and written anew for that.
//!
//! - **Finds**: `set access method` of a table that was there before, if it is another one
//! - **Blocks**: reads and writes of the table, while every row and every index is written anew
//! - **Instead**: create a table `using` the other method, keep it in step with a trigger, fill it in batches, and
//!   exchange the names
//! - **Source**: PostgreSQL manual, `ALTER TABLE`, `SET ACCESS METHOD`

use super::{Context, Findings, Lint};
use crate::operation::Operation;
use crate::ops::StorageChange;

pub(super) const LINT: Lint = Lint::of_statement("changing_access_method", check);

fn check(context: &Context<'_>, findings: &mut Findings) {
    let Some(Operation::AlterStorage(alter)) = context.operation() else { return };
    let table = &alter.table;
    let StorageChange::AccessMethod(method) = &alter.change else { return };
    if !context.effects().rewrites.contains(table) || context.is_new_table(table) {
        return;
    }
    findings
        .find(method.at, format!("every row of `{table}` is written anew"))
        .maybe_note(context.wait(table))
        .instead("create a table `using` the other method, keep it in step with a trigger, fill it in batches, and exchange the names");
}
