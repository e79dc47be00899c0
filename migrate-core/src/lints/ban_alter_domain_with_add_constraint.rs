//! `ban_alter_domain_with_add_constraint`: a rule of a domain is checked against every row of every table that uses
//! it.
//!
//! - **Finds**: `alter domain … add constraint` without `not valid`, and `set not null`, of a domain that columns of
//!   old tables are of
//! - **Blocks**: writes to all those tables, while every row is read
//! - **Instead**: add the constraint `not valid`, and `validate constraint` in the next migration; better, add check
//!   constraints to the tables
//! - **Source**: squawk `ban-alter-domain-with-add-constraint`; PostgreSQL manual, `ALTER DOMAIN`

use super::{Context, Findings, Lint};
use crate::operation::Operation;
use crate::ops::DomainChange;

pub(super) const LINT: Lint = Lint::of_statement("ban_alter_domain_with_add_constraint", check);

fn check(context: &Context<'_>, findings: &mut Findings) {
    let Some(Operation::AlterDomain(alter)) = context.operation() else { return };
    let at = match &alter.change {
        DomainChange::AddConstraint { name, .. } if name.at.end > name.at.start => name.at,
        DomainChange::AddConstraint { expression, .. } => expression.at,
        DomainChange::SetNotNull => alter.name.at(),
        _ => return,
    };
    let effects = context.effects();
    let read: Vec<_> = effects.scans.iter().filter(|table| !context.is_new_table(table)).collect();
    if read.is_empty() {
        return;
    }
    let found = findings.find(at, format!("every row of every table with a column of `{}` is checked", alter.name));
    let found = read.into_iter().fold(found, |found, table| found.maybe_note(context.wait(table)));
    found.instead("add the constraint `not valid`, and validate it in the next migration; or add check constraints to the tables");
}
