//! `ban_alter_domain_with_add_constraint`: a rule of a domain is checked against every row of every table that uses
//! it.
//!
//! - **Finds**: `alter domain … add constraint` without `not valid`, and `set not null`, of a domain that columns of
//!   old tables are of, or may be
//! - **Blocks**: writes to all those tables, while every row is read
//! - **Instead**: add the constraint `not valid`, and `validate constraint` in the next migration; better, add check
//!   constraints to the tables
//! - **Source**: squawk `ban-alter-domain-with-add-constraint`; PostgreSQL manual, `ALTER DOMAIN`

use super::{Context, Findings, Lint, Work};
use crate::effects::LockMode;
use crate::lower::syntax;
use crate::name::{At, QualifiedName};
use crate::schema::ObjectKey;
use squawk_syntax::ast;

pub(super) const LINT: Lint = Lint::of_statement("ban_alter_domain_with_add_constraint", check);

fn check(context: &Context<'_>, findings: &mut Findings) {
    let Some((domain, at)) = checked(context) else { return };
    let known = context.before().has_type(&domain);
    let mut tables: Vec<_> = context.before().columns_of_type(&domain).into_iter().map(|(table, _)| table).collect();
    tables.retain(|table| !context.is_new_table(table));
    tables.dedup();
    if context.is_new(&ObjectKey::Enum(domain.clone())) || (known && tables.is_empty()) {
        return;
    }
    let found = findings.find(at, format!("every row of every table with a column of `{domain}` is checked"));
    let found = tables.iter().fold(found, |found, table| found.maybe_note(context.waits(table, LockMode::Share, Work::Reads)));
    found.instead("add the constraint `not valid`, and validate it in the next migration; or add check constraints to the tables");
}

/// The domain whose values are all looked at, and where that is said.
fn checked(context: &Context<'_>) -> Option<(QualifiedName, At)> {
    let (opaque, ast::Stmt::AlterDomain(statement)) = context.statement()? else { return None };
    let domain = syntax::path_ref(&statement.domain_ref()?.path_ref()?)?;
    let at = match statement.action()? {
        ast::AlterDomainAction::AddConstraint(add) => {
            let constraint = add.constraint()?;
            let not_valid = match &constraint {
                ast::Constraint::CheckConstraint(it) => it.constraint_options().any(|option| matches!(option, ast::ConstraintOption::NotValid(_))),
                _ => false,
            };
            Some(Context::at(opaque, &constraint)).filter(|_| !not_valid)?
        }
        ast::AlterDomainAction::SetNotNull(set) => Context::at(opaque, &set),
        _ => return None,
    };
    Some((domain, at))
}
