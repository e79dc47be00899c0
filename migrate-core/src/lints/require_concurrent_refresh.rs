//! `require_concurrent_refresh`: a materialized view is filled anew while nobody can read it.
//!
//! - **Finds**: `refresh materialized view` without `concurrently`, of a view that was there before
//! - **Blocks**: reads of the view, while its query runs
//! - **Instead**: `refresh materialized view concurrently`, which needs a unique index on columns of the view,
//!   without a condition
//! - **Source**: PostgreSQL manual, `REFRESH MATERIALIZED VIEW`, `CONCURRENTLY`

use super::{Context, Findings, Lint, Work};
use crate::effects::LockMode;
use crate::lower::syntax;
use crate::schema::{IndexKeyKind, ObjectKey};
use squawk_syntax::ast;

pub(super) const LINT: Lint = Lint::of_statement("require_concurrent_refresh", check);

fn check(context: &Context<'_>, findings: &mut Findings) {
    let Some((opaque, ast::Stmt::Refresh(statement))) = context.statement() else { return };
    let Some(node) = statement.view_ref() else { return };
    let Some(view) = node.path_ref().and_then(|path| syntax::path_ref(&path)) else { return };
    if statement.concurrently_token().is_some() || context.is_new(&ObjectKey::View(view.clone())) {
        return;
    }
    let has_key = context.before().views.get(&view).is_some_and(|view| {
        view.indexes.values().any(|index| {
            let columns = index.keys.iter().all(|key| matches!(key.kind, IndexKeyKind::Column(_)));
            index.unique && index.valid && index.predicate.is_none() && columns
        })
    });
    let help = if has_key { "write `refresh materialized view concurrently`" } else { "create a unique index on the view, and refresh it `concurrently`" };
    findings
        .find(Context::at(opaque, &node), format!("nobody can read `{view}` while it is filled anew"))
        .maybe_note(context.waits(&view, LockMode::AccessExclusive, Work::None))
        .instead(help);
}
