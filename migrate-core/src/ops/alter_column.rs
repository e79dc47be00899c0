//! What the operations on one column of a table share.

use crate::name::{Name, QualifiedName};
use crate::operation::NoInverse;
use crate::schema::{Column, ObjectKey, Schema};

/// `alter table … alter column … action`.
pub(super) fn sql(table: &QualifiedName, column: &Name, action: &str) -> Vec<String> {
    vec![format!("alter table {} alter column {} {action}", table.quoted(), column.quoted())]
}

/// The column as an object.
pub(super) fn key(table: &QualifiedName, column: &Name) -> ObjectKey {
    ObjectKey::Column(table.clone(), column.clone())
}

/// Changes the column where it is known.
pub(super) fn change(schema: &mut Schema, table: &QualifiedName, column: &Name, change: impl FnOnce(&mut Column)) {
    if let Some(column) = schema.tables.get_mut(table).and_then(|table| table.column_mut(column.as_str())) {
        change(column);
    }
}

/// The column before the operation: without it nothing can be undone.
pub(super) fn before<'a>(schema: &'a Schema, table: &QualifiedName, column: &Name) -> Result<&'a Column, NoInverse> {
    schema.column(table, column.as_str()).ok_or_else(|| NoInverse::because(format!("nothing is known of column `{table}.{column}`")))
}
