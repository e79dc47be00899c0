//! `ban_truncate`: all rows of a table go.
//!
//! - **Finds**: `truncate` of a table that was there before
//! - **Blocks**: reads and writes of the table until the migration commits; and no `down` brings the rows back
//! - **Instead**: delete what has to go in batches, by a condition; or say in an `#[allow]` who has made sure that
//!   nobody needs the rows, and acknowledge the loss
//! - **Source**: PostgreSQL manual, `TRUNCATE`

use super::{Context, Findings, Lint, Work};
use crate::effects::LockMode;
use crate::lower::syntax;
use squawk_syntax::ast;

pub(super) const LINT: Lint = Lint::of_statement("ban_truncate", check);

fn check(context: &Context<'_>, findings: &mut Findings) {
    let Some((opaque, ast::Stmt::Truncate(statement))) = context.statement() else { return };
    for node in statement.table_list().into_iter().flat_map(|list| list.table_relation_names().collect::<Vec<_>>()) {
        let Some(name) = node.table_name_ref() else { continue };
        let Some(table) = syntax::table_ref(&name).filter(|table| !context.is_new_table(table)) else { continue };
        findings
            .find(Context::at(opaque, &name), format!("all rows of `{table}` go, and no `down` brings them back"))
            .maybe_note(context.waits(&table, LockMode::AccessExclusive, Work::None))
            .instead(format!("delete from `{table}` in batches, by a condition; or say in the reason of an `#[allow]` why the rows may go"));
    }
}
