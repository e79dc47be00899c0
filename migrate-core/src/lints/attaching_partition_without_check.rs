//! `attaching_partition_without_check`: a table becomes a partition, and every row is read to see that it belongs
//! there.
//!
//! - **Finds**: `attach partition` of a table that was there before, without a valid check constraint on a column of
//!   the partition key
//! - **Blocks**: reads and writes of that table, while every row is read
//! - **Instead**: add a check constraint with the bounds of the partition `not valid`, validate it in the next
//!   migration, attach the table after that, and drop the constraint
//! - **Source**: PostgreSQL manual, `ALTER TABLE`, `ATTACH PARTITION`

use super::{Context, Findings, Lint};
use crate::operation::Operation;
use crate::schema::{ConstraintKind, Schema, Table};

pub(super) const LINT: Lint = Lint::of_statement("attaching_partition_without_check", check);

fn check(context: &Context<'_>, findings: &mut Findings) {
    let Some(Operation::AttachPartition(attach)) = context.operation() else { return };
    let (table, name) = (&attach.table, &attach.partition);
    let Some(partition) = context.old_table(name) else { return };
    let Some(of) = context.before().table(table) else { return };
    if !context.effects().scans.contains(name) || may_be_proven(context.before(), partition, of) {
        return;
    }
    findings
        .find(name.at(), format!("every row of `{name}` is read to see that it belongs to `{table}`"))
        .maybe_note(context.wait(name))
        .instead(format!("add a check constraint with the bounds to `{name}` `not valid`, validate it in the next migration, and attach it then"));
}

/// Whether a check constraint says something of the partition key, of the table or of all that it is made of. What
/// exactly, only PostgreSQL can tell.
pub(super) fn may_be_proven(schema: &Schema, partition: &Table, of: &Table) -> bool {
    let says_something = |table: &Table| {
        table.constraints.values().any(|constraint| match &constraint.kind {
            ConstraintKind::Check { expression, .. } => constraint.validated && expression.columns().iter().any(|column| of.is_partitioned_by(column)),
            _ => false,
        })
    };
    let parts = schema.partitions(&partition.name);
    let of_parts = !parts.is_empty() && parts.iter().filter_map(|part| schema.table(part)).all(says_something);
    says_something(partition) || of_parts
}
