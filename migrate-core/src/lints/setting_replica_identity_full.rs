//! `setting_replica_identity_full`: every update and every delete logs the whole old row.
//!
//! - **Finds**: `replica identity full`
//! - **Blocks**: nothing at once; but the log grows with each update, and a subscriber without a fitting index reads
//!   its whole table for each row
//! - **Instead**: the primary key, which is the default, or `replica identity using index` with a unique index on
//!   columns that are `not null`
//! - **Source**: PostgreSQL manual, "Logical Replication", "Replica Identity"

use super::{Context, Findings, Lint, statements};
use squawk_syntax::ast;

pub(super) const LINT: Lint = Lint::of_statement("setting_replica_identity_full", check).warns();

fn check(context: &Context<'_>, findings: &mut Findings) {
    let Some((opaque, table, ast::AlterTableAction::ReplicaIdentity(identity))) = statements::table_action(context) else { return };
    let Some(ast::ReplicaIdentityOption::ReplicaIdentityFull(full)) = identity.replica_identity_option() else { return };
    let help = if context.before().table(&table).is_some_and(|table| table.primary_key().is_some()) {
        "leave the default, which is the primary key"
    } else {
        "write `replica identity using index`, with a unique index on columns that are `not null`"
    };
    findings.find(Context::at(opaque, &full), format!("every update of `{table}` logs the whole old row")).instead(help);
}
