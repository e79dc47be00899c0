//! `alter table`: one operation an action.

use super::{left, syntax};
use crate::name::QualifiedName;
use crate::operation::Operation;
use crate::ops::{
    AddColumn, AddConstraint, AddIdentity, AlterColumnType, AlterIdentity, DropColumn, DropConstraint, DropDefault, DropExpression,
    DropIdentity, DropNotNull, Opaque, RenameColumn, RenameConstraint, RenameTable, SetDefault, SetNotNull, SetTableSchema,
    ValidateConstraint,
};
use crate::schema::Unmodelled;
use squawk_syntax::ast::{self, AstNode};

pub(super) fn lower(statement: &ast::AlterTable) -> Option<Vec<Operation>> {
    let target = statement.table_relation_name()?;
    let table = syntax::table_ref(&target.table_name_ref()?)?;
    let mut operations = Vec::new();
    for action in statement.actions() {
        operations.extend(lower_action(&table, target.only_token().is_some(), &action).unwrap_or_else(|| {
            let only = if target.only_token().is_some() { "only " } else { "" };
            let sql = format!("alter table {only}{} {}", table.quoted(), syntax::text(action.syntax()));
            let (leaves, takes) = left::by_action(&action);
            let on_table = |what: Option<Unmodelled>| what.map(|what| (table.clone(), what)).into_iter().collect();
            vec![Opaque { leaves: on_table(leaves), takes: on_table(takes), ..Opaque::on_table("alter table", sql, &table) }.into()]
        }));
    }
    operations.sort_by_key(pass);
    Some(operations)
}

/// PostgreSQL does the actions of one statement in passes, whatever their order in the text: `AlterTablePass` of its
/// `src/backend/commands/tablecmds.c`.
fn pass(operation: &Operation) -> u32 {
    match operation {
        Operation::DropColumn(_)
        | Operation::DropConstraint(_)
        | Operation::DropDefault(_)
        | Operation::DropExpression(_)
        | Operation::DropIdentity(_)
        | Operation::DropNotNull(_) => 0,
        Operation::AlterColumnType(_) => 1,
        Operation::AddColumn(_) => 2,
        Operation::AddConstraint(it) if it.constraint.kind.has_index() => 4,
        Operation::AddConstraint(_) => 5,
        Operation::ValidateConstraint(_) | Operation::Opaque(_) => 6,
        _ => 3,
    }
}

/// The operations of one action; `None`: the model has none for it.
fn lower_action(table: &QualifiedName, only: bool, action: &ast::AlterTableAction) -> Option<Vec<Operation>> {
    Some(match action {
        ast::AlterTableAction::AddConstraint(it) => vec![AddConstraint { only, ..AddConstraint::lower(table, it)? }.into()],
        ast::AlterTableAction::AddColumn(it) => vec![AddColumn::lower(table, it)?.into()],
        ast::AlterTableAction::AlterColumn(it) => vec![lower_column(table, it)?],
        ast::AlterTableAction::DropColumn(it) => vec![DropColumn::lower(table, it)?.into()],
        ast::AlterTableAction::DropConstraint(it) => vec![DropConstraint { only, ..DropConstraint::lower(table, it)? }.into()],
        ast::AlterTableAction::RenameConstraint(it) => vec![RenameConstraint::lower(table, it)?.into()],
        ast::AlterTableAction::ValidateConstraint(it) => vec![ValidateConstraint::lower(table, it)?.into()],
        ast::AlterTableAction::RenameColumn(it) => vec![RenameColumn::lower(table, it)?.into()],
        ast::AlterTableAction::SetSchema(it) => vec![SetTableSchema::lower(table, it)?.into()],
        ast::AlterTableAction::TableRenameTo(it) => vec![RenameTable::lower(table, it)?.into()],
        _ => return None,
    })
}

/// The operation of `alter column`; `None`: the model has none for it.
fn lower_column(table: &QualifiedName, action: &ast::AlterColumn) -> Option<Operation> {
    let column = syntax::name(&action.column_name_ref()?);
    Some(match action.option()? {
        ast::AlterColumnOption::AddGenerated(it) => AddIdentity::lower(table, column, &it)?.into(),
        ast::AlterColumnOption::DropDefault(_) => DropDefault { table: table.clone(), column }.into(),
        ast::AlterColumnOption::DropExpression(it) => {
            DropExpression { table: table.clone(), column, if_exists: it.if_exists().is_some() }.into()
        }
        ast::AlterColumnOption::DropIdentity(it) => {
            DropIdentity { table: table.clone(), column, if_exists: it.if_exists().is_some() }.into()
        }
        ast::AlterColumnOption::DropNotNull(_) => DropNotNull { table: table.clone(), column }.into(),
        ast::AlterColumnOption::SetDefault(it) => SetDefault::lower(table, column, &it)?,
        ast::AlterColumnOption::SetGeneratedOptions(it) => AlterIdentity::lower(table, column, &it)?.into(),
        ast::AlterColumnOption::SetNotNull(_) => SetNotNull { table: table.clone(), column }.into(),
        ast::AlterColumnOption::SetType(it) => AlterColumnType::lower(table, column, &it)?.into(),
        _ => return None,
    })
}
