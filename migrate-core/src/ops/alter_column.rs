//! What the operations on one column of a table share.

use crate::effects::{Effects, LockMode};
use crate::name::{Name, QualifiedName};
use crate::operation::NoInverse;
use crate::schema::{Column, ObjectKey, Schema};

/// `alter table … alter column … action`.
pub(super) fn sql(table: &QualifiedName, column: &Name, action: &str) -> Vec<String> {
    sql_of(table, false, column, action)
}

/// The same, perhaps of `only` the table.
pub(super) fn sql_of(table: &QualifiedName, only: bool, column: &Name, action: &str) -> Vec<String> {
    let only = if only { "only " } else { "" };
    vec![format!("alter table {only}{} alter column {} {action}", table.quoted(), column.quoted())]
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

/// Changes the column where it is known, and in the tables below that have it from there.
pub(super) fn change_all(schema: &mut Schema, table: &QualifiedName, column: &Name, only: bool, change: impl Fn(&mut Column)) {
    self::change(schema, table, column, &change);
    for below in if only { Vec::new() } else { schema.descendants(table) } {
        self::change(schema, &below, column, &change);
    }
}

/// An access exclusive lock on the table and, unless `only`, on those below.
pub(super) fn lock(schema: &Schema, table: &QualifiedName, only: bool) -> Effects {
    let effects = Effects::lock(table, LockMode::AccessExclusive);
    if only { effects } else { effects.and_descendants(schema, table) }
}

/// The tables below whose column is not, in the respect that `aspect` tells, as in the table itself: what restores the one
/// doesn't restore the other.
pub(super) fn different_below<'a, T: PartialEq>(
    before: &'a Schema,
    table: &QualifiedName,
    column: &Name,
    only: bool,
    aspect: impl Fn(&'a Column) -> T,
) -> Vec<(QualifiedName, T)> {
    let Some(own) = before.column(table, column.as_str()).map(&aspect) else { return Vec::new() };
    let below = if only { Vec::new() } else { before.descendants(table) };
    let others = below.into_iter().filter_map(|table| {
        let other = aspect(before.column(&table, column.as_str())?);
        Some((table, other))
    });
    others.filter(|(_, other)| *other != own).collect()
}

/// The column before the operation: without it nothing can be undone.
pub(super) fn before<'a>(schema: &'a Schema, table: &QualifiedName, column: &Name) -> Result<&'a Column, NoInverse> {
    schema.column(table, column.as_str()).ok_or_else(|| NoInverse::because(format!("nothing is known of column `{table}.{column}`")))
}
