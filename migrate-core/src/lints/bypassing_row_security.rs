//! `bypassing_row_security`: policies no longer hold for a role.
//!
//! - **Finds**: a role that gets `bypassrls` or `superuser`
//! - **Blocks**: nothing; the role reads and writes every row of every table, whatever the policies say
//! - **Instead**: give the role a policy of its own
//! - **Source**: PostgreSQL manual, "Row Security Policies"; `CREATE ROLE`

use super::{Context, Findings, Lint, grants};

pub(super) const LINT: Lint = Lint::of_statement("bypassing_row_security", check);

fn check(context: &Context<'_>, findings: &mut Findings) {
    let Some(words) = grants::words(context, &["create role", "create user", "alter role", "alter user"]) else { return };
    // the second word is the kind of object, the third its name
    let option = words.iter().skip(3).find(|word| !word.is_literal && matches!(word.text.as_str(), "bypassrls" | "superuser"));
    if let Some(option) = option {
        findings
            .find(option.at, "no policy of any table holds for this role")
            .instead("write a policy for the role on the tables that it needs");
    }
}
