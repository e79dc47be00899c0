//! `moving_table_to_tablespace`: a table or an index is copied to another tablespace while nobody can read or write.
//!
//! - **Finds**: `set tablespace` of a table, an index or a materialized view that was there before, and `all in
//!   tablespace`
//! - **Blocks**: reads and writes of the table, while its file is copied
//! - **Instead**: build indexes of the other tablespace concurrently and drop the old ones; of a table move the
//!   partitions one by one, or run `pg_repack --tablespace`, and acknowledge what is left
//! - **Source**: PostgreSQL manual, `ALTER TABLE`, `SET TABLESPACE`

use super::{Context, Findings, Lint, Work};
use crate::effects::LockMode;
use crate::lower::syntax;
use crate::name::{At, QualifiedName};
use crate::operation::Operation;
use crate::ops::StorageChange;
use crate::schema::ObjectKey;
use squawk_syntax::ast::{self, AstNode};

pub(super) const LINT: Lint = Lint::of_statement("moving_table_to_tablespace", check);

fn check(context: &Context<'_>, findings: &mut Findings) {
    if let Some(Operation::AlterStorage(alter)) = context.operation() {
        if let StorageChange::Tablespace(to) = &alter.change
            && context.effects().rewrites.contains(&alter.table)
        {
            report(context, findings, Some(&alter.table), to.at);
        }
    } else if let Some((relation, at)) = moved(context) {
        report(context, findings, relation.as_ref(), at);
    }
}

/// What else is moved, an index or a materialized view, or all that is in a tablespace, and where that is said.
fn moved(context: &Context<'_>) -> Option<(Option<QualifiedName>, At)> {
    let (opaque, statement) = context.statement()?;
    if let Some(all) = statement.syntax().children().find_map(ast::AllInTablespace::cast) {
        return Some((None, Context::at(opaque, &all)));
    }
    let name = match &statement {
        ast::Stmt::AlterIndex(it) => syntax::path_ref(&it.index_ref()?.path_ref()?)?,
        ast::Stmt::AlterMaterializedView(it) => syntax::path_ref(&it.view_ref()?.path_ref()?)?,
        _ => return None,
    };
    let to = statement.syntax().descendants().find_map(ast::SetTablespace::cast)?;
    Some((Some(name), Context::at(opaque, &to)))
}

fn report(context: &Context<'_>, findings: &mut Findings, relation: Option<&QualifiedName>, at: At) {
    let is_new = |name: &QualifiedName| {
        let keys = [ObjectKey::Table(name.clone()), ObjectKey::Index(name.clone()), ObjectKey::View(name.clone())];
        let of_new = context.before().index(name).is_some_and(|(table, _)| context.is_new_table(table));
        of_new || keys.iter().any(|key| context.is_new(key))
    };
    let message = match relation {
        Some(name) if is_new(name) => return,
        Some(name) => format!("the file of `{name}` is copied while nobody can read it"),
        None => "the files of all that is in the tablespace are copied while nobody can read them".to_owned(),
    };
    findings
        .find(at, message)
        .maybe_note(relation.and_then(|name| context.waits(name, LockMode::AccessExclusive, Work::Rewrites)))
        .instead("move what can be built concurrently by building it there, and the rest when nobody waits for it");
}
