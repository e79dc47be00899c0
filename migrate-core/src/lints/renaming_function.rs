//! `renaming_function`: a function has another name from the commit on, while a release that calls the old one is
//! still running.
//!
//! - **Finds**: `rename to` of a function, a procedure or a routine that this migration doesn't create, or create
//!   again
//! - **Blocks**: nothing; but queries that call it fail from the commit on; defaults, checks and indexes follow,
//!   bodies of other functions don't
//! - **Instead**: create a function of the new name, and drop the old one when no release calls it
//! - **Source**: PostgreSQL manual, `ALTER FUNCTION`

use super::{Context, Findings, Lint, statements};
use squawk_syntax::ast;

pub(super) const LINT: Lint = Lint::of_statement("renaming_function", check);

fn check(context: &Context<'_>, findings: &mut Findings) {
    let Some((opaque, statement)) = context.statement() else { return };
    let node = match &statement {
        ast::Stmt::AlterFunction(it) if matches!(it.action(), Some(ast::AlterFunctionAction::FunctionRenameTo(_))) => {
            it.function_sig().and_then(|signature| signature.function_name_ref()?.path_ref())
        }
        ast::Stmt::AlterProcedure(it) if matches!(it.action(), Some(ast::AlterProcedureAction::ProcedureRenameTo(_))) => {
            it.procedure_sig().and_then(|signature| signature.procedure_name_ref()?.path_ref())
        }
        ast::Stmt::AlterRoutine(it) if matches!(it.action(), Some(ast::AlterRoutineAction::RoutineRenameTo(_))) => {
            it.routine_sig().and_then(|signature| signature.routine_name_ref()?.path_ref())
        }
        _ => return,
    };
    let Some((node, function)) = node.and_then(|node| Some((node.clone(), crate::lower::syntax::path_ref(&node)?))) else { return };
    let creates = |statement: ast::Stmt| statements::created_routine(&statement).as_ref() == Some(&function);
    if context.earlier_statements().any(creates) || context.later_statements().any(creates) {
        return;
    }
    findings
        .find(Context::at(opaque, &node), format!("queries of a running release that call `{function}` fail from the commit on"))
        .instead(format!("create a function of the new name, and drop `{function}` when no release calls it"));
}
