//! What statements say that the model has no operation for.

use super::Context;
use crate::lower::syntax;
use crate::name::QualifiedName;
use crate::ops::Opaque;
use squawk_syntax::ast;

/// The action of an `alter table` with its table: each action is a step of its own.
pub(super) fn table_action<'a>(context: &Context<'a>) -> Option<(&'a Opaque, QualifiedName, ast::AlterTableAction)> {
    let (opaque, ast::Stmt::AlterTable(statement)) = context.statement()? else { return None };
    let table = syntax::table_ref(&statement.table_relation_name()?.table_name_ref()?)?;
    Some((opaque, table, statement.actions().next()?))
}

/// The relation that a name stands for.
pub(super) fn relation(name: &ast::RelationName) -> Option<QualifiedName> {
    syntax::path_ref(&name.relation_name_ref()?.path_ref()?)
}
