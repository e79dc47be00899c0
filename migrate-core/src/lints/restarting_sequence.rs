//! `restarting_sequence`: a sequence gives out numbers again that rows have already.
//!
//! - **Finds**: `restart`, or `restart with 1`, of a sequence or an identity that was there before
//! - **Blocks**: nothing; but inserts fail on the primary key, or rows get a number that was another one's
//! - **Instead**: leave the sequence; to move it beyond what was written by hand, `select setval(…, max(…))`
//! - **Source**: PostgreSQL manual, `ALTER SEQUENCE`, `RESTART`

use super::{Context, Findings, Lint, columns, statements};
use crate::lower::{self, syntax};
use crate::schema::ObjectKey;
use squawk_syntax::ast::{self, AstNode};

pub(super) const LINT: Lint = Lint::of_statement("restarting_sequence", check);

fn check(context: &Context<'_>, findings: &mut Findings) {
    let Some((opaque, statement)) = context.statement() else { return };
    let restart = match &statement {
        ast::Stmt::AlterSequence(it) => {
            let name = it.sequence_ref().and_then(|name| syntax::path_ref(&name.path_ref()?));
            if name.is_some_and(|name| context.is_new(&ObjectKey::Sequence(name))) {
                return;
            }
            let restart = it.syntax().descendants().find_map(ast::OptionRestart::cast);
            restart.map(|restart| (Context::at(opaque, &restart), restart.expr()))
        }
        ast::Stmt::AlterTable(_) => {
            let Some((_, table, ast::AlterTableAction::AlterColumn(it))) = statements::table_action(context) else { return };
            let column = it.column_name_ref().map(|column| syntax::name(&column));
            if column.is_some_and(|column| !columns::is_old(context, &table, &column)) {
                return;
            }
            let restart = it.syntax().descendants().find_map(ast::Restart::cast);
            restart.map(|restart| (Context::at(opaque, &restart), restart.expr()))
        }
        _ => None,
    };
    let Some((at, number)) = restart else { return };
    // a large number is meant to leave behind what is there
    if lower::columns::number(number).is_none_or(|number| number <= 1) {
        findings
            .find(at, "numbers are given out again that rows have already")
            .instead("leave the sequence as it is, or move it beyond the largest number with `setval`");
    }
}
