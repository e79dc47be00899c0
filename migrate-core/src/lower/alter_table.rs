//! `alter table`: one operation an action.

use super::syntax;
use crate::name::QualifiedName;
use crate::operation::Operation;
use crate::ops::{AddColumn, DropColumn, Opaque};
use squawk_syntax::ast::{self, AstNode};

pub(super) fn lower(statement: &ast::AlterTable) -> Option<Vec<Operation>> {
    let target = statement.table_relation_name()?;
    let table = syntax::table_ref(&target.table_name_ref()?)?;
    let mut operations = Vec::new();
    for action in statement.actions() {
        operations.extend(lower_action(&table, &action).unwrap_or_else(|| {
            let only = if target.only_token().is_some() { "only " } else { "" };
            let sql = format!("alter table {only}{} {}", table.quoted(), syntax::text(action.syntax()));
            vec![Opaque::on_table("alter table", sql, &table).into()]
        }));
    }
    Some(operations)
}

/// The operations of one action; `None`: the model has none for it.
fn lower_action(table: &QualifiedName, action: &ast::AlterTableAction) -> Option<Vec<Operation>> {
    Some(match action {
        ast::AlterTableAction::AddColumn(it) => vec![AddColumn::lower(table, it)?.into()],
        ast::AlterTableAction::DropColumn(it) => vec![DropColumn::lower(table, it)?.into()],
        _ => return None,
    })
}
