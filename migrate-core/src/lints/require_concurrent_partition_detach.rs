//! `require_concurrent_partition_detach`: a partition is detached while nobody can read the table that it was part
//! of.
//!
//! - **Finds**: `detach partition` without `concurrently`, of a table that was there before and has no default
//!   partition
//! - **Blocks**: reads and writes of the whole table; it is done at once, but it waits for every query that is
//!   running, and all others wait for it
//! - **Instead**: `detach partition … concurrently` (PostgreSQL 14), which waits without blocking anybody
//! - **Source**: PostgreSQL manual, `ALTER TABLE`, `DETACH PARTITION`; squawk `require-concurrent-partition-detach`

use super::{Context, Findings, Lint};
use crate::operation::Operation;
use crate::ops::DetachMode;

pub(super) const LINT: Lint = Lint::of_statement("require_concurrent_partition_detach", check);

fn check(context: &Context<'_>, findings: &mut Findings) {
    let Some(Operation::DetachPartition(detach)) = context.operation() else { return };
    let table = &detach.table;
    // beside a default partition PostgreSQL has no other way
    let has_default = context.before().default_partition(table).is_some();
    if detach.mode != DetachMode::Plain || has_default || context.is_new_table(table) || context.is_new_table(&detach.partition) {
        return;
    }
    findings
        .find(detach.partition.at(), format!("nobody can read `{table}` while the partition is detached"))
        .maybe_note(context.wait(table))
        .instead("write `concurrently` behind the partition: it runs outside the transaction, as a step of its own");
}
