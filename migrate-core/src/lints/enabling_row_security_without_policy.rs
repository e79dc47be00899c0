//! `enabling_row_security_without_policy`: row level security is switched on for a table that has no policy: nobody
//! but its owner sees a row.
//!
//! - **Finds**: `enable row level security` on a table that was there before and has no policy at the end of the
//!   migration
//! - **Blocks**: nothing for long; but from the commit on queries of other roles find no rows, and their inserts fail
//! - **Instead**: create the policies in the same migration, before row level security is enabled
//! - **Source**: PostgreSQL manual, "Row Security Policies": without a policy a default-deny policy is used

use super::{Context, Findings, Lint};
use crate::operation::Operation;
use crate::ops::RowSecurityChange;

pub(super) const LINT: Lint = Lint::of_history("enabling_row_security_without_policy", check);

fn check(context: &Context<'_>, findings: &mut Findings) {
    let Some(Operation::AlterRowSecurity(alter)) = context.operation() else { return };
    let table = &alter.table;
    let without = context.end().table(table).is_some_and(|at_end| at_end.policies.is_empty());
    if alter.change != RowSecurityChange::Enable || !without || context.is_new_table(table) {
        return;
    }
    findings
        .find(table.at(), format!("`{table}` has no policy, so nobody but its owner sees a row from the commit on"))
        .maybe_note(context.wait(table))
        .instead(format!("`create policy … on {}` in the same migration", table.quoted()));
}
