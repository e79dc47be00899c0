//! `setting_replica_identity_nothing`: a table that is published can no longer be updated.
//!
//! - **Finds**: `replica identity nothing`
//! - **Blocks**: every update and delete of the table fails once a publication covers it that publishes those
//! - **Instead**: the primary key, which is the default, or `replica identity using index`
//! - **Source**: PostgreSQL manual, "Logical Replication", "Replica Identity"

use super::{Context, Findings, Lint, statements};
use squawk_syntax::ast;

pub(super) const LINT: Lint = Lint::of_statement("setting_replica_identity_nothing", check);

fn check(context: &Context<'_>, findings: &mut Findings) {
    let Some((opaque, table, ast::AlterTableAction::ReplicaIdentity(identity))) = statements::table_action(context) else { return };
    if let Some(ast::ReplicaIdentityOption::ReplicaIdentityNothing(nothing)) = identity.replica_identity_option() {
        findings
            .find(Context::at(opaque, &nothing), format!("updates and deletes of `{table}` fail once it is published"))
            .instead("leave the default, which is the primary key, or write `replica identity using index`");
    }
}
