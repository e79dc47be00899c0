//! The columns that a step gives a type, a default, or values of a sequence.

use super::Context;
use crate::data_type::DataType;
use crate::expression::Expression;
use crate::name::{At, Name, QualifiedName};
use crate::operation::Operation;
use crate::ops::AddColumn;
use crate::schema::{Column, ObjectKey};

/// Each column that is new or gets another type, with that type. Another length or precision of the same type is none.
pub(super) fn typed<'a>(context: &Context<'a>) -> Vec<(&'a Name, &'a DataType)> {
    let of = |column: &'a Column| (&column.name, &column.data_type);
    match context.operation() {
        Some(Operation::AlterColumnType(alter)) => {
            let before = context.before().column(&alter.table, alter.column.as_str()).map(|column| &column.data_type);
            let same = before.is_some_and(|before| before.base == alter.data_type.base && before.array == alter.data_type.array);
            if same { Vec::new() } else { vec![(&alter.column, &alter.data_type)] }
        }
        _ => added(context).into_iter().map(of).collect(),
    }
}

/// The `add column` of a column that isn't there yet, to a table that may have rows.
pub(super) fn on_old_table<'a>(context: &Context<'a>) -> Option<&'a AddColumn> {
    let Some(Operation::AddColumn(add)) = context.operation() else { return None };
    let present = context.before().column(&add.table, add.column.name.as_str()).is_some();
    Some(add).filter(|_| !present && !context.has_no_rows(&add.table))
}

/// Whether the column is of a table that may have rows, and may have values itself.
pub(super) fn is_old(context: &Context<'_>, table: &QualifiedName, column: &Name) -> bool {
    !context.is_new_table(table) && !context.is_new(&ObjectKey::Column(table.clone(), column.clone()))
}

/// The columns that are new.
pub(super) fn added<'a>(context: &Context<'a>) -> Vec<&'a Column> {
    match context.operation() {
        Some(Operation::AddColumn(add)) if context.before().column(&add.table, add.column.name.as_str()).is_none() => vec![&add.column],
        Some(Operation::CreateTable(create)) => create.table.columns.iter().collect(),
        _ => Vec::new(),
    }
}

/// Each column that takes its values from a sequence and is new, gets another type, or does so from now on: with its type,
/// and where that is said.
pub(super) fn numbered<'a>(context: &Context<'a>) -> Vec<(&'a Name, &'a DataType, At)> {
    let before = |table, name: &Name| context.before().column(table, name.as_str());
    let of_type = |(name, data_type): (&'a Name, &'a DataType)| (name, data_type, at(name, data_type));
    match context.operation() {
        Some(Operation::AddIdentity(add)) => {
            let column = before(&add.table, &add.column);
            column.map(|column| (&add.column, &column.data_type, add.column.at)).into_iter().collect()
        }
        Some(Operation::AlterColumnType(alter)) if before(&alter.table, &alter.column).is_some_and(is_numbered) => {
            typed(context).into_iter().map(of_type).collect()
        }
        _ => {
            let numbered = added(context).into_iter().filter(|column| is_numbered(column));
            numbered.map(|column| of_type((&column.name, &column.data_type))).collect()
        }
    }
}

fn is_numbered(column: &Column) -> bool {
    column.identity.is_some() || column.default.as_ref().is_some_and(|default| !default.sequences().is_empty())
}

/// Each column that gets a default, with its type, where that is known, and the default.
pub(super) fn defaults<'a>(context: &Context<'a>) -> Vec<(&'a Name, Option<&'a DataType>, &'a Expression)> {
    if let Some(Operation::SetDefault(set)) = context.operation() {
        let column = context.before().column(&set.table, set.column.as_str());
        return vec![(&set.column, column.map(|column| &column.data_type), &set.default)];
    }
    let of = |column: &'a Column| Some((&column.name, Some(&column.data_type), column.default.as_ref()?));
    added(context).into_iter().filter_map(of).collect()
}

/// Where the type was written.
pub(super) fn at(column: &Name, data_type: &DataType) -> At {
    data_type.written.as_ref().map_or(column.at, |written| written.at)
}
