//! `bypassing_row_security`: policies are there, and no longer hold.
//!
//! - **Finds**: a role that gets `bypassrls` or `superuser`; row level security that is disabled on a table that has policies and
//!   was there before
//! - **Blocks**: nothing; the role reads and writes every row of every table, or every role those of the table, whatever the
//!   policies say
//! - **Instead**: write a policy for the role that needs more
//! - **Source**: PostgreSQL manual, "Row Security Policies"; `CREATE ROLE`

use super::{Context, Findings, Lint, grants};
use crate::operation::Operation;
use crate::ops::{AlterRowSecurity, RowSecurityChange};

pub(super) const LINT: Lint = Lint::of_history("bypassing_row_security", check);

fn check(context: &Context<'_>, findings: &mut Findings) {
    if let Some(Operation::AlterRowSecurity(AlterRowSecurity { table, change: RowSecurityChange::Disable })) = context.operation() {
        let (before, end) = (context.old_table(table), context.end().table(table));
        let bypassed = before.is_some_and(|before| before.row_security.enabled && !before.policies.is_empty());
        if bypassed && end.is_some_and(|end| !end.row_security.enabled && !end.policies.is_empty()) {
            findings
                .find(table.at(), format!("the policies of `{table}` hold for nobody any more"))
                .note(format!("every role that may read `{table}` reads all of its rows from the commit on"))
                .instead("write a policy for the role that needs more");
        }
        return;
    }
    let Some(words) = grants::words(context, &["create role", "create user", "alter role", "alter user"]) else { return };
    // the second word is the kind of object, the third its name
    let option = words.iter().skip(3).find(|word| !word.is_literal && matches!(word.text.as_str(), "bypassrls" | "superuser"));
    if let Some(option) = option {
        findings
            .find(option.at, "no policy of any table holds for this role")
            .instead("write a policy for the role on the tables that it needs");
    }
}
