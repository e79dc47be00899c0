//! `policy_without_row_security`: a policy that nobody looks at.
//!
//! - **Finds**: `create policy` on a table whose row level security isn't enabled at the end of the migration
//! - **Blocks**: nothing, and that is what is wrong: every role that may read the table reads all of its rows
//! - **Instead**: `alter table … enable row level security`
//! - **Source**: PostgreSQL manual, `CREATE POLICY`: row-level security must be enabled on the table

use super::{Context, Findings, Lint};
use crate::operation::Operation;

pub(super) const LINT: Lint = Lint::of_history("policy_without_row_security", check);

fn check(context: &Context<'_>, findings: &mut Findings) {
    let Some(Operation::CreatePolicy(create)) = context.operation() else { return };
    let (table, name) = (&create.table, &create.name);
    if context.end().table(table).is_some_and(|end| !end.row_security.enabled && end.policies.contains_key(name)) {
        findings
            .find(name.at, format!("`{name}` has no effect: row level security of `{table}` isn't enabled"))
            .instead(format!("add `alter table {} enable row level security` to the migration", table.quoted()));
    }
}
