//! `locking_table`: a table is locked for the rest of the migration.
//!
//! - **Finds**: `lock table` in a mode that blocks reads or writes, of a table that was there before
//! - **Blocks**: writes to the table from `share` on, and its reads in `access exclusive`, which is meant where no
//!   mode is named
//! - **Instead**: leave the lock out: each operation takes the one that it needs; against other migrations take
//!   `share update exclusive`
//! - **Source**: PostgreSQL manual, "Table-Level Locks"

use super::{Context, Findings, Lint, Work, statements};
use crate::effects::LockMode;
use squawk_syntax::ast;

pub(super) const LINT: Lint = Lint::of_statement("locking_table", check);

fn check(context: &Context<'_>, findings: &mut Findings) {
    let Some((opaque, ast::Stmt::Lock(statement))) = context.statement() else { return };
    let mode = match statement.lock_mode_clause().and_then(|clause| clause.lock_mode()) {
        None | Some(ast::LockMode::AccessExclusive(_)) => LockMode::AccessExclusive,
        Some(ast::LockMode::Exclusive(_)) => LockMode::Exclusive,
        Some(ast::LockMode::ShareRowExclusive(_)) => LockMode::ShareRowExclusive,
        Some(ast::LockMode::Share(_)) => LockMode::Share,
        Some(_) => return,
    };
    for node in statement.relation_list().into_iter().flat_map(|list| list.relation_names().collect::<Vec<_>>()) {
        let Some(table) = statements::relation(&node).filter(|table| !context.is_new_table(table)) else { continue };
        findings
            .find(Context::at(opaque, &node), format!("`{table}` is locked for the rest of the migration"))
            .maybe_note(context.waits(&table, mode, Work::None))
            .instead("leave the lock out, each operation takes what it needs; or write `in share update exclusive mode`");
    }
}
