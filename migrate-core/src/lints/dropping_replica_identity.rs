//! `dropping_replica_identity`: nothing tells the rows of a table apart any more.
//!
//! - **Finds**: a dropped primary key of a table that was there before, without another one at the end of the migration
//! - **Blocks**: every `update` and `delete` of the table fails where it is published for logical replication, because its
//!   primary key is how a subscriber finds the row; two equal rows can't be told apart
//! - **Instead**: build the new key with `create unique index concurrently`, and add it with `primary key using index` in the
//!   same migration
//! - **Source**: PostgreSQL manual, `ALTER TABLE`, `REPLICA IDENTITY`; "Publication"

use super::{Context, Findings, Lint};
use crate::operation::{Operate, Operation};
use crate::schema::{ObjectKey, Origin};

pub(super) const LINT: Lint = Lint::of_history("dropping_replica_identity", check);

fn check(context: &Context<'_>, findings: &mut Findings) {
    let (table, operation) = match context.operation() {
        Some(operation @ Operation::DropConstraint(drop)) => (&drop.table, operation),
        Some(operation @ Operation::DropColumn(drop)) => (&drop.table, operation),
        _ => return,
    };
    let Some(key) = context.old_table(table).and_then(|table| table.primary_key()) else { return };
    let mut after = context.before().clone();
    operation.apply(&mut after, &Origin::default());
    let goes = after.table(table).is_some_and(|after| after.primary_key().is_none());
    let stays_without = context.end().table(table).is_some_and(|end| end.primary_key().is_none());
    if !goes || !stays_without {
        return;
    }
    let maker = context.creator(&ObjectKey::Constraint(table.clone(), key.name.clone()));
    findings
        .find(context.place(), format!("`{table}` is left without a primary key"))
        .note(format!("where `{table}` is published for logical replication, every update and delete of it fails"))
        .maybe_note(maker.map(|place| format!("`{}` was created by {place}", key.name)))
        .instead("build the new key with `create unique index concurrently`, and add it with `primary key using index`");
}
