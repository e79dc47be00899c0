//! `require_concurrent_reindex`: indexes are built anew while nobody can write, or read what uses them.
//!
//! - **Finds**: `reindex` of an index, a table, a schema or a database without `concurrently`
//! - **Blocks**: writes to the table, and every query that would use the index, while it is built
//! - **Instead**: `reindex … concurrently`, which takes longer and blocks neither reads nor writes
//! - **Source**: PostgreSQL manual, `REINDEX`, "Rebuilding Indexes Concurrently"; squawk `require-concurrent-reindex`

use super::{Context, Findings, Lint, Work};
use crate::effects::LockMode;
use crate::lower::syntax;
use crate::schema::ObjectKey;
use squawk_syntax::ast::{self, AstNode};

pub(super) const LINT: Lint = Lint::of_statement("require_concurrent_reindex", check);

fn check(context: &Context<'_>, findings: &mut Findings) {
    let Some((opaque, ast::Stmt::Reindex(statement))) = context.statement() else { return };
    let Some(target) = statement.reindex_target() else { return };
    // `false` switches the option off
    let option = statement.reindex_option_list().into_iter().flat_map(|list| list.reindex_options().collect::<Vec<_>>()).any(|option| {
        let text = syntax::spelt(option.syntax());
        text.starts_with("concurrently") && !["false", "off", "0"].iter().any(|off| text.ends_with(off))
    });
    let (written, table) = match &target {
        ast::ReindexTarget::ReindexTargetTable(it) => (it.concurrently_token(), it.table_name_ref().and_then(|name| syntax::table_ref(&name))),
        ast::ReindexTarget::ReindexTargetIndex(it) => {
            let name = it.index_ref().and_then(|name| syntax::path_ref(&name.path_ref()?));
            if name.as_ref().is_some_and(|name| context.is_new(&ObjectKey::Index(name.clone()))) {
                return;
            }
            (it.concurrently_token(), name.and_then(|name| context.before().index(&name).map(|(table, _)| table.clone())))
        }
        ast::ReindexTarget::ReindexTargetSchema(it) => (it.concurrently_token(), None),
        ast::ReindexTarget::ReindexTargetDatabase(it) => (it.concurrently_token(), None),
        // there is no other way
        ast::ReindexTarget::ReindexTargetSystem(_) => return,
    };
    if written.is_some() || option || table.as_ref().is_some_and(|table| context.is_new_table(table)) {
        return;
    }
    findings
        .find(Context::at(opaque, &target), "indexes are built anew while nobody can write to their tables, or read by them")
        .maybe_note(table.and_then(|table| context.waits(&table, LockMode::Share, Work::Reads)))
        .instead("write `reindex … concurrently`: it runs outside the transaction, and is journalled as a step of its own");
}
