//! `ban_create_domain_with_constraint`: a rule for values is kept in a type, where it is hard to change.
//!
//! - **Finds**: `create domain` with a check or `not null`
//! - **Blocks**: nothing today; a later rule of the domain is checked against every table that uses it, under locks
//!   on all of them
//! - **Instead**: a domain without rules, or the plain type, and check constraints on the tables
//! - **Source**: squawk `ban-create-domain-with-constraint`; PostgreSQL manual, `CREATE DOMAIN`, Notes on `not null`

use super::{Context, Findings, Lint};
use squawk_syntax::ast;

pub(super) const LINT: Lint = Lint::of_statement("ban_create_domain_with_constraint", check).warns();

fn check(context: &Context<'_>, findings: &mut Findings) {
    let Some((opaque, ast::Stmt::CreateDomain(statement))) = context.statement() else { return };
    for qualifier in statement.domain_qualifiers() {
        if let ast::DomainQualifier::Constraint(constraint) = qualifier
            && matches!(constraint, ast::Constraint::CheckConstraint(_) | ast::Constraint::NotNullConstraint(_))
        {
            findings
                .find(Context::at(opaque, &constraint), "a later change of this rule checks every table that uses the domain")
                .instead("use the plain type, and check constraints on the tables");
        }
    }
}
