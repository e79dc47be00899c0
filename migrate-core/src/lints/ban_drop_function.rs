//! `ban_drop_function`: a function goes while a release that calls it is still running.
//!
//! - **Finds**: `drop function`, `drop procedure` and `drop routine`, unless the migration creates one of that name
//! - **Blocks**: nothing; but queries that call it fail from the commit on, and bodies of other functions that do,
//!   when they run
//! - **Instead**: release the code that no longer calls it first, and acknowledge the drop with the release; to
//!   change it, create it again in the same migration
//! - **Source**: PostgreSQL manual, `DROP FUNCTION`

use super::{Context, Findings, Lint, statements};
use crate::lower::syntax;
use squawk_syntax::ast;

pub(super) const LINT: Lint = Lint::of_statement("ban_drop_function", check);

fn check(context: &Context<'_>, findings: &mut Findings) {
    let Some((opaque, statement)) = context.statement() else { return };
    let nodes: Vec<Option<ast::PathRef>> = match &statement {
        ast::Stmt::DropFunction(it) if it.if_exists().is_none() => {
            let signatures = it.function_sig_list().into_iter().flat_map(|list| list.function_sigs().collect::<Vec<_>>());
            signatures.map(|signature| signature.function_name_ref()?.path_ref()).collect()
        }
        ast::Stmt::DropProcedure(it) if it.if_exists().is_none() => {
            let signatures = it.procedure_sig_list().into_iter().flat_map(|list| list.procedure_sigs().collect::<Vec<_>>());
            signatures.map(|signature| signature.procedure_name_ref()?.path_ref()).collect()
        }
        ast::Stmt::DropRoutine(it) if it.if_exists().is_none() => {
            let signatures = it.routine_sig_list().into_iter().flat_map(|list| list.routine_sigs().collect::<Vec<_>>());
            signatures.map(|signature| signature.routine_name_ref()?.path_ref()).collect()
        }
        _ => return,
    };
    for node in nodes.into_iter().flatten() {
        let Some(function) = syntax::path_ref(&node) else { continue };
        let creates = |statement: ast::Stmt| statements::created_routine(&statement).as_ref() == Some(&function);
        if context.earlier_statements().any(creates) || context.later_statements().any(creates) {
            continue;
        }
        findings
            .find(Context::at(opaque, &node), format!("queries of a running release that call `{function}` fail from the commit on"))
            .instead(format!("release code that does without `{function}` first; then say so in the reason of an `#[allow]`"));
    }
}
