//! `moving_table_to_tablespace`: a table or an index is copied to another tablespace while nobody can read or write.
//!
//! - **Finds**: `set tablespace` of a table, an index or a materialized view that was there before, and `all in
//!   tablespace`
//! - **Blocks**: reads and writes of the table, while its file is copied
//! - **Instead**: build indexes of the other tablespace concurrently and drop the old ones; of a table move the
//!   partitions one by one, or run `pg_repack --tablespace`, and acknowledge what is left
//! - **Source**: PostgreSQL manual, `ALTER TABLE`, `SET TABLESPACE`

use super::{Context, Findings, Lint, Work, statements};
use crate::effects::LockMode;
use crate::lower::syntax;
use crate::name::{At, QualifiedName};
use crate::schema::ObjectKey;
use squawk_syntax::ast::{self, AstNode};

pub(super) const LINT: Lint = Lint::of_statement("moving_table_to_tablespace", check);

fn check(context: &Context<'_>, findings: &mut Findings) {
    let Some((opaque, statement)) = context.statement() else { return };
    let whole = |node: Option<ast::AllInTablespace>| node.map(|node| (None, Context::at(opaque, &node)));
    let found = match &statement {
        ast::Stmt::AlterTable(it) => match statements::table_action(context) {
            Some((_, table, ast::AlterTableAction::SetTablespace(to))) => Some((Some(table), Context::at(opaque, &to))),
            _ => whole(it.all_in_tablespace()),
        },
        ast::Stmt::AlterIndex(it) => match (it.index_ref().and_then(|name| syntax::path_ref(&name.path_ref()?)), it.action()) {
            (Some(index), Some(ast::AlterIndexAction::SetTablespace(to))) => {
                if context.is_new(&ObjectKey::Index(index.clone())) {
                    return;
                }
                if context.before().index(&index).is_some_and(|(table, _)| context.is_new_table(table)) {
                    return;
                }
                Some((Some(index), Context::at(opaque, &to)))
            }
            _ => whole(it.all_in_tablespace()),
        },
        ast::Stmt::AlterMaterializedView(it) => {
            let to = it.syntax().descendants().find_map(ast::SetTablespace::cast);
            match (it.view_ref().and_then(|name| syntax::path_ref(&name.path_ref()?)), to) {
                (Some(view), Some(to)) => Some((Some(view), Context::at(opaque, &to))),
                _ => whole(it.all_in_tablespace()),
            }
        }
        _ => None,
    };
    if let Some((table, at)) = found {
        report(context, findings, table.as_ref(), at);
    }
}

fn report(context: &Context<'_>, findings: &mut Findings, table: Option<&QualifiedName>, at: At) {
    let message = match table {
        Some(table) if context.is_new_table(table) || context.is_new(&ObjectKey::View(table.clone())) => return,
        Some(table) => format!("the file of `{table}` is copied while nobody can read it"),
        None => "the files of all that is in the tablespace are copied while nobody can read them".to_owned(),
    };
    findings
        .find(at, message)
        .maybe_note(table.and_then(|table| context.waits(table, LockMode::AccessExclusive, Work::Rewrites)))
        .instead("move what can be built concurrently by building it there, and the rest when nobody waits for it");
}
