//! `require_concurrent_partition_detach`: a partition is detached while nobody can read the table that it was part
//! of.
//!
//! - **Finds**: `detach partition` without `concurrently`, of a table that was there before
//! - **Blocks**: reads and writes of the whole table; it is done at once, but it waits for every query that is
//!   running, and all others wait for it
//! - **Instead**: `detach partition … concurrently` (PostgreSQL 14), which waits without blocking anybody; not where
//!   there is a default partition
//! - **Source**: PostgreSQL manual, `ALTER TABLE`, `DETACH PARTITION`; squawk `require-concurrent-partition-detach`

use super::{Context, Findings, Lint, Work, statements};
use crate::effects::LockMode;
use squawk_syntax::ast;

pub(super) const LINT: Lint = Lint::of_statement("require_concurrent_partition_detach", check);

fn check(context: &Context<'_>, findings: &mut Findings) {
    let Some((opaque, table, ast::AlterTableAction::DetachPartition(detach))) = statements::table_action(context) else { return };
    let Some(partition) = detach.table_name_ref() else { return };
    if detach.detach_partition_option().is_some() || context.is_new_table(&table) {
        return;
    }
    findings
        .find(Context::at(opaque, &partition), format!("nobody can read `{table}` while the partition is detached"))
        .maybe_note(context.waits(&table, LockMode::AccessExclusive, Work::None))
        .instead("write `concurrently` behind the partition: it runs outside the transaction, as a step of its own");
}
