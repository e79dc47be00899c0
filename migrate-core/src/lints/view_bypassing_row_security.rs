//! `view_bypassing_row_security`: a view shows the rows that policies hide.
//!
//! - **Finds**: a view of a table with row level security, without `security_invoker`
//! - **Blocks**: nothing; the view reads with the rights of its owner, for whom the policies of his own table don't hold: whoever may
//!   read the view sees all rows
//! - **Instead**: `with (security_invoker = true)`, since PostgreSQL 15; acknowledge it where the view chooses the rows itself
//! - **Source**: PostgreSQL manual, `CREATE VIEW`, `security_invoker`; "Row Security Policies"

use super::{Context, Findings, Lint};
use crate::operation::Operation;

pub(super) const LINT: Lint = Lint::of_history("view_bypassing_row_security", check);

fn check(context: &Context<'_>, findings: &mut Findings) {
    let Some(Operation::CreateView(create)) = context.operation() else { return };
    let (name, view) = (&create.name, &create.view);
    let invoker = view.parameters().iter().any(|(parameter, value)| parameter == "security_invoker" && value == "true");
    let secured = |table: &&crate::name::QualifiedName| context.end().table(table).is_some_and(|table| table.row_security.enabled);
    let Some(table) = view.relations.iter().find(secured).filter(|_| !invoker && context.end().views.contains_key(name)) else { return };
    let found = findings.find(name.at(), format!("whoever may read `{name}` sees all rows of `{table}`, whatever its policies say"));
    if view.materialized {
        found.instead(format!("read `{table}` itself, or permit reading `{name}` only to roles that may see all of it"));
    } else {
        found.instead("write `with (security_invoker = true)` before `as`");
    }
}
