//! `alter table`: one operation an action.

use super::syntax;
use crate::name::QualifiedName;
use crate::naming;
use crate::operation::Operation;
use crate::ops::{
    AddColumn, AddConstraint, AddIdentity, AlterColumnType, AlterConstraint, AlterIdentity, AlterOwner, AlterRowSecurity, AlterStorage,
    AttachPartition, DetachPartition, DropColumn, DropConstraint, DropDefault, DropExpression, DropIdentity, DropNotNull, Inherit,
    NoInherit, Opaque, RenameColumn, RenameConstraint, RenameTable, SetDefault, SetNotNull, SetTableSchema, SetTriggerState,
    ValidateConstraint,
};
use crate::schema::ObjectKey;
use squawk_syntax::ast::{self, AstNode};

pub(super) fn lower(statement: &ast::AlterTable) -> Option<Vec<Operation>> {
    let target = statement.table_relation_name()?;
    let table = syntax::table_ref(&target.table_name_ref()?)?;
    let mut operations = Vec::new();
    for action in statement.actions() {
        operations.extend(lower_action(&table, target.only_token().is_some(), &action).unwrap_or_else(|| {
            let only = if target.only_token().is_some() { "only " } else { "" };
            let sql = format!("alter table {only}{} {}", table.quoted(), syntax::text(action.syntax()));
            let mut opaque = Opaque::on_table("alter table", sql, &table);
            opaque.sql.at = syntax::at(action.syntax());
            vec![opaque.into()]
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
        Operation::AlterOwner(_)
        | Operation::AlterRowSecurity(_)
        | Operation::AlterStorage(_)
        | Operation::SetTriggerState(_)
        | Operation::ValidateConstraint(_)
        | Operation::Opaque(_) => 6,
        _ => 3,
    }
}

/// The operations of one action; `None`: the model has none for it.
fn lower_action(table: &QualifiedName, only: bool, action: &ast::AlterTableAction) -> Option<Vec<Operation>> {
    Some(match action {
        ast::AlterTableAction::AddConstraint(it) => match not_null(table, only, it) {
            Some(operation) => vec![operation.into()],
            None => vec![AddConstraint { only, ..AddConstraint::lower(table, it)? }.into()],
        },
        ast::AlterTableAction::AddColumn(it) => vec![AddColumn::lower(table, it)?.into()],
        ast::AlterTableAction::AlterConstraint(it) => vec![AlterConstraint::lower(table, it)?.into()],
        ast::AlterTableAction::AlterColumn(it) => vec![lower_column(table, only, it)?],
        ast::AlterTableAction::AttachPartition(it) => vec![AttachPartition::lower(table, it)?.into()],
        ast::AlterTableAction::DetachPartition(it) => vec![DetachPartition::lower(table, it)?.into()],
        ast::AlterTableAction::DropColumn(it) => vec![DropColumn { only, ..DropColumn::lower(table, it)? }.into()],
        ast::AlterTableAction::DropConstraint(it) => vec![DropConstraint { only, ..DropConstraint::lower(table, it)? }.into()],
        ast::AlterTableAction::InheritTable(it) => vec![Inherit::lower(table, it)?.into()],
        ast::AlterTableAction::NoInheritTable(it) => vec![NoInherit::lower(table, it)?.into()],
        ast::AlterTableAction::RenameConstraint(it) => vec![RenameConstraint::lower(table, it)?.into()],
        ast::AlterTableAction::ValidateConstraint(it) => vec![ValidateConstraint::lower(table, it)?.into()],
        ast::AlterTableAction::RenameColumn(it) => vec![RenameColumn::lower(table, it)?.into()],
        ast::AlterTableAction::DisableTrigger(_)
        | ast::AlterTableAction::EnableAlwaysTrigger(_)
        | ast::AlterTableAction::EnableReplicaTrigger(_)
        | ast::AlterTableAction::EnableTrigger(_) => vec![SetTriggerState::lower(table, action)?.into()],
        ast::AlterTableAction::SetSchema(it) => vec![SetTableSchema::lower(table, it)?.into()],
        ast::AlterTableAction::TableRenameTo(it) => vec![RenameTable::lower(table, it)?.into()],
        ast::AlterTableAction::OwnerTo(it) => vec![AlterOwner::lower(ObjectKey::Table(table.clone()), it)?.into()],
        action => match AlterRowSecurity::lower(table, action) {
            Some(operation) => vec![operation.into()],
            None => vec![AlterStorage::lower(table, action)?.into()],
        },
    })
}

/// `add constraint … not null …` of PostgreSQL 18, where it does what `set not null` does: the same constraint of the same name.
fn not_null(table: &QualifiedName, only: bool, add: &ast::AddConstraint) -> Option<SetNotNull> {
    let Some(ast::Constraint::NotNullConstraint(constraint)) = add.constraint() else { return None };
    let column = syntax::name(&constraint.column_name_ref()?);
    let name = constraint.constraint_name_clause().and_then(|clause| clause.constraint_name());
    let chosen = naming::make_object_name(table.name.as_str(), Some(column.as_str()), "not_null");
    let is_plain = name.is_none_or(|name| syntax::name(&name).as_str() == chosen) && constraint.constraint_options().next().is_none();
    is_plain.then(|| SetNotNull { table: table.clone(), column, only })
}

/// The operation of `alter column`; `None`: the model has none for it.
fn lower_column(table: &QualifiedName, only: bool, action: &ast::AlterColumn) -> Option<Operation> {
    let column = syntax::name(&action.column_name_ref()?);
    Some(match action.option()? {
        ast::AlterColumnOption::AddGenerated(it) => AddIdentity::lower(table, column, &it)?.into(),
        ast::AlterColumnOption::DropDefault(_) => DropDefault { table: table.clone(), column, only }.into(),
        ast::AlterColumnOption::DropExpression(it) => {
            DropExpression { table: table.clone(), column, if_exists: it.if_exists().is_some() }.into()
        }
        ast::AlterColumnOption::DropIdentity(it) => {
            DropIdentity { table: table.clone(), column, if_exists: it.if_exists().is_some() }.into()
        }
        ast::AlterColumnOption::DropNotNull(_) => DropNotNull { table: table.clone(), column, only }.into(),
        ast::AlterColumnOption::SetDefault(it) => SetDefault::lower(table, column, only, &it)?,
        ast::AlterColumnOption::SetGeneratedOptions(it) => AlterIdentity::lower(table, column, &it)?.into(),
        ast::AlterColumnOption::SetNotNull(_) => SetNotNull { table: table.clone(), column, only }.into(),
        ast::AlterColumnOption::SetType(it) => AlterColumnType::lower(table, column, &it)?.into(),
        _ => return None,
    })
}
