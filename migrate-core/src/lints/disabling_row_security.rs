//! `disabling_row_security`: rows that policies hid can be read by everybody who may read the table.
//!
//! - **Finds**: `disable row level security` on a table that was there before and has policies
//! - **Blocks**: nothing for long; but from the commit on each role sees every row
//! - **Instead**: replace the policies by others that say who sees what; where everybody may see all, acknowledge
//!   that
//! - **Source**: PostgreSQL manual, "Row Security Policies"

use super::{Context, Findings, Lint};
use crate::operation::Operation;
use crate::ops::RowSecurityChange;

pub(super) const LINT: Lint = Lint::of_statement("disabling_row_security", check);

fn check(context: &Context<'_>, findings: &mut Findings) {
    let Some(Operation::AlterRowSecurity(alter)) = context.operation() else { return };
    let table = &alter.table;
    let hides = context.old_table(table).is_some_and(|before| !before.policies.is_empty());
    if alter.change == RowSecurityChange::Disable && hides {
        findings
            .find(table.at(), format!("each role that may read `{table}` sees every row of it from the commit on"))
            .note("its policies stay, and are no longer looked at")
            .instead("replace the policies, or say in the reason of an `#[allow]` that everybody may see all rows");
    }
}
