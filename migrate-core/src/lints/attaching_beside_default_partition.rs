//! `attaching_beside_default_partition`: a table gets another partition, and every row of its default partition is
//! read for those that belong there now.
//!
//! - **Finds**: `attach partition`, and `create table … partition of`, of a table whose default partition was there
//!   before, without a valid check constraint on a column of the partition key
//! - **Blocks**: reads and writes of the default partition, while every row is read; and of the whole table with
//!   `create table`
//! - **Instead**: add a check constraint to the default partition that rules the new bounds out, `not valid`,
//!   validate it in the next migration, attach the partition after that, and drop the constraint
//! - **Source**: PostgreSQL manual, `ALTER TABLE`, `ATTACH PARTITION`: the default partition

use super::attaching_partition_without_check::may_be_proven;
use super::{Context, Findings, Lint};
use crate::operation::Operation;

pub(super) const LINT: Lint = Lint::of_statement("attaching_beside_default_partition", check);

fn check(context: &Context<'_>, findings: &mut Findings) {
    let (table, partition) = match context.operation() {
        Some(Operation::AttachPartition(attach)) => (&attach.table, &attach.partition),
        Some(Operation::CreateTable(create)) => match &create.table.partition {
            Some(partition) => (&partition.of, &create.table.name),
            None => return,
        },
        _ => return,
    };
    let before = context.before();
    let Some(default) = before.default_partition(table).and_then(|name| context.old_table(name)) else { return };
    let proven = before.table(table).is_none_or(|of| may_be_proven(before, default, of));
    let name = &default.name;
    if proven || name == partition || !context.effects().scans.contains(name) {
        return;
    }
    findings
        .find(partition.at(), format!("every row of `{name}` is read, for those that belong to `{partition}` now"))
        .maybe_note(context.wait(name))
        .instead(format!(
            "add a check constraint to `{name}` that rules out what belongs to `{partition}`, `not valid`, and validate it before, in another migration"
        ));
}
