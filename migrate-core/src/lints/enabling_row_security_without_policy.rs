//! `enabling_row_security_without_policy`: a table looks empty to everybody but its owner.
//!
//! - **Finds**: `enable row level security` on a table that was there before and has no policy at the end of the migration
//! - **Blocks**: reads find no row, inserts fail and updates do nothing, for every role but the owner and superusers, from the
//!   commit on
//! - **Instead**: create the policies in the same migration
//! - **Source**: PostgreSQL manual, "Row Security Policies": if no policy exists for the table, a default-deny policy is used

use super::{Context, Findings, Lint};
use crate::operation::Operation;
use crate::ops::RowSecurityChange;
use crate::schema::{Table, Unmodelled};

pub(super) const LINT: Lint = Lint::of_history("enabling_row_security_without_policy", check);

fn check(context: &Context<'_>, findings: &mut Findings) {
    let Some(Operation::AlterRowSecurity(alter)) = context.operation() else { return };
    let table = &alter.table;
    let enables = alter.change == RowSecurityChange::Enable && context.old_table(table).is_some_and(|old| !old.row_security.enabled);
    if enables && context.end().table(table).is_some_and(|end| end.row_security.enabled && !has_policy(end)) {
        findings
            .find(table.at(), format!("`{table}` has no policy, so nobody but its owner finds a row in it"))
            .instead("add `create policy` for the roles that use it to the migration");
    }
}

/// Whether it has a policy, also one that the model knows by name only.
fn has_policy(table: &Table) -> bool {
    !table.policies.is_empty() || table.unmodelled.iter().any(|what| matches!(what, Unmodelled::Policy(_)))
}
