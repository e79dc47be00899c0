//! The columns that a step gives a type.

use super::Context;
use crate::data_type::DataType;
use crate::name::{At, Name};
use crate::operation::Operation;
use crate::schema::Column;

/// Each column that is new or gets another type, with that type.
pub(super) fn typed<'a>(context: &Context<'a>) -> Vec<(&'a Name, &'a DataType)> {
    let of = |column: &'a Column| (&column.name, &column.data_type);
    match context.operation() {
        Some(Operation::AddColumn(add)) => vec![of(&add.column)],
        Some(Operation::CreateTable(create)) => create.table.columns.iter().map(of).collect(),
        Some(Operation::AlterColumnType(alter)) => vec![(&alter.column, &alter.data_type)],
        _ => Vec::new(),
    }
}

/// Where the type was written.
pub(super) fn at(column: &Name, data_type: &DataType) -> At {
    data_type.written.as_ref().map_or(column.at, |written| written.at)
}
