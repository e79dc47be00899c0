//! `ban_create_domain_with_constraint`: a rule for values is kept in a type, where it is hard to change.
//!
//! - **Finds**: `create domain` with a check or `not null`
//! - **Blocks**: nothing today; a later rule of the domain is checked against every table that uses it, under locks
//!   on all of them
//! - **Instead**: a domain without rules, or the plain type, and check constraints on the tables
//! - **Source**: squawk `ban-create-domain-with-constraint`; PostgreSQL manual, `CREATE DOMAIN`, Notes on `not null`

use super::{Context, Findings, Lint};
use crate::operation::Operation;

pub(super) const LINT: Lint = Lint::of_statement("ban_create_domain_with_constraint", check).warns();

fn check(context: &Context<'_>, findings: &mut Findings) {
    let Some(Operation::CreateDomain(create)) = context.operation() else { return };
    if create.domain.not_null || !create.checks.is_empty() {
        let at = create.checks.first().map_or(create.name.at(), |(_, check)| check.at);
        findings
            .find(at, format!("a later change of what `{}` demands checks every table that uses it", create.name))
            .instead("use the plain type, and check constraints on the tables");
    }
}
