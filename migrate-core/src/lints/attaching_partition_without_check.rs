//! `attaching_partition_without_check`: a table becomes a partition, and every row is read to see that it belongs
//! there.
//!
//! - **Finds**: `attach partition` of a table that was there before, without a valid check constraint on a column of
//!   the partition key
//! - **Blocks**: reads and writes of that table, while every row is read
//! - **Instead**: add a check constraint with the bounds of the partition `not valid`, validate it in the next
//!   migration, attach the table after that, and drop the constraint
//! - **Source**: PostgreSQL manual, `ALTER TABLE`, `ATTACH PARTITION`

use super::{Context, Findings, Lint, Work, statements};
use crate::effects::LockMode;
use crate::lower::syntax;
use crate::schema::{ConstraintKind, Table};
use squawk_syntax::ast;

pub(super) const LINT: Lint = Lint::of_statement("attaching_partition_without_check", check);

fn check(context: &Context<'_>, findings: &mut Findings) {
    let Some((opaque, table, ast::AlterTableAction::AttachPartition(attach))) = statements::table_action(context) else { return };
    let Some(node) = attach.table_name_ref() else { return };
    let Some(partition) = syntax::table_ref(&node).and_then(|name| context.old_table(&name)) else { return };
    if may_be_proven(partition, context.before().table(&table)) {
        return;
    }
    let name = &partition.name;
    findings
        .find(Context::at(opaque, &node), format!("every row of `{name}` is read to see that it belongs to `{table}`"))
        .maybe_note(context.waits(name, LockMode::AccessExclusive, Work::Reads))
        .instead(format!("add a check constraint with the bounds to `{name}` `not valid`, validate it in the next migration, and attach it then"));
}

/// Whether a check constraint says something of the partition key. What exactly, only PostgreSQL can tell.
fn may_be_proven(partition: &Table, of: Option<&Table>) -> bool {
    let Some(key) = of.and_then(Table::partition_key) else { return true };
    partition.constraints.values().any(|constraint| match &constraint.kind {
        ConstraintKind::Check { expression, .. } => constraint.validated && key.columns().iter().any(|column| expression.mentions(column)),
        _ => false,
    })
}
