//! `policy_that_permits_everything`: row level security is there, and everybody may change every row.
//!
//! - **Finds**: a permissive policy for all roles that lets rows be written under the condition `true`
//! - **Blocks**: nothing; whatever the other policies of the table say, this one permits it: permissive policies are joined by `or`
//! - **Instead**: say in the condition whose rows they are, or for which roles the policy is
//! - **Source**: PostgreSQL manual, `CREATE POLICY`, `PERMISSIVE`

use super::{Context, Findings, Lint};
use crate::expression::Expression;
use crate::operation::Operation;
use crate::schema::PolicyCommand;

pub(super) const LINT: Lint = Lint::of_statement("policy_that_permits_everything", check);

fn check(context: &Context<'_>, findings: &mut Findings) {
    let Some(Operation::CreatePolicy(create)) = context.operation() else { return };
    let policy = &create.policy;
    let everybody = policy.roles.is_empty() || policy.roles.iter().any(|role| *role == *"public");
    let is_true = |condition: &&Expression| condition.sql().trim().eq_ignore_ascii_case("true");
    let condition = match policy.command {
        PolicyCommand::Select => None,
        PolicyCommand::Insert => policy.check.as_ref(),
        PolicyCommand::All | PolicyCommand::Update | PolicyCommand::Delete => policy.using.as_ref(),
    };
    if let Some(condition) = condition.filter(is_true).filter(|_| everybody && policy.permissive) {
        let what = if policy.command == PolicyCommand::Insert { "write any row into" } else { "change every row of" };
        findings
            .find(condition.at, format!("every role that has the privilege may {what} `{}`", create.table))
            .note("permissive policies are joined by `or`: no other policy takes this back".to_owned())
            .instead("say whose rows they are, or name the roles in `to …`");
    }
}
