//! `temporary_table`: a table is left to the session of the migration, which is not the application's.
//!
//! - **Finds**: `create temporary table` without `on commit drop`, unless the migration drops it
//! - **Blocks**: nothing; the table outlives the migration in a pooled connection, hides one of its name there, and
//!   isn't there where the migration goes on in another session
//! - **Instead**: `on commit drop`, where one transaction needs it
//! - **Source**: PostgreSQL manual, `CREATE TABLE`, `TEMPORARY`

use super::{Context, Findings, Lint};
use crate::operation::Operation;
use squawk_syntax::ast;

pub(super) const LINT: Lint = Lint::of_statement("temporary_table", check);

fn check(context: &Context<'_>, findings: &mut Findings) {
    let Some((opaque, statement)) = context.statement() else { return };
    let (persistence, on_commit, name) = match statement {
        ast::Stmt::CreateTable(it) => (it.persistence(), it.on_commit(), it.table_name()),
        ast::Stmt::CreateTableAs(it) => (it.persistence(), it.on_commit(), it.table_name()),
        _ => return,
    };
    let dropped = matches!(on_commit.and_then(|it| it.on_commit_action()), Some(ast::OnCommitAction::Drop(_)));
    if let (Some(ast::Persistence::Temp(_)), Some(name), false) = (persistence, name, dropped) {
        let drops = |operation: &Operation| matches!(operation, Operation::DropTable(drop) if opaque.creates.iter().any(|(_, made)| *made == drop.name));
        if context.later().any(drops) {
            return;
        }
        findings
            .find(Context::at(opaque, &name), "the table stays in the session of the migration, and nowhere else")
            .instead("write `on commit drop` behind it, or create a table that stays");
    }
}
