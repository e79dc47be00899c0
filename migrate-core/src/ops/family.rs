//! What an operation on a table takes from the tables below it, and its inverse has to give back.

use crate::name::QualifiedName;
use crate::operation::{Operate, Operation};
use crate::ops::{AddConstraint, DropDefault, DropNotNull, SetDefault, SetNotNull, access, create_index};
use crate::schema::{ConstraintKind, ObjectKey, Origin, Schema};

/// `operations`, which undo something on `table`, and after them what gives the tables below what they had of their own.
/// `change` makes the schema on which they are run out of `before`, the one that they lead to.
pub(super) fn give_back(
    before: &Schema,
    table: &QualifiedName,
    mut operations: Vec<Operation>,
    change: impl FnOnce(&mut Schema),
) -> Vec<Operation> {
    let below = before.descendants(table);
    if below.is_empty() {
        return operations;
    }
    let mut after = before.clone();
    change(&mut after);
    for operation in &operations {
        operation.apply(&mut after, &Origin::default());
    }
    for name in below {
        let (Some(old), Some(new)) = (before.table(&name), after.table(&name)) else { continue };
        let lost = old.constraints.values().filter(|constraint| !new.constraints.contains_key(&constraint.name));
        operations.extend(lost.filter_map(|constraint| AddConstraint::again(before, &name, &constraint.name)).map(Into::into));
        create_index::recreate_indexes(old, |index| !new.indexes.contains_key(&index.name), &mut operations);
        let revoked = old.access.granted().filter(|privilege| new.access.privileges.get(privilege) != Some(&true));
        operations.extend(access::grants(&ObjectKey::Table(name.clone()), revoked, &old.access));
        for old in &old.columns {
            let Some(new) = new.column(old.name.as_str()) else { continue };
            let (table, column, only) = (name.clone(), old.name.clone(), true);
            match (old.not_null, new.not_null) {
                (true, false) => operations.push(SetNotNull { table: table.clone(), column: column.clone(), only }.into()),
                (false, true) => operations.push(DropNotNull { table: table.clone(), column: column.clone(), only }.into()),
                _ => {}
            }
            if old.default != new.default {
                operations.push(match old.default.clone() {
                    Some(default) => SetDefault { table, column, default, only }.into(),
                    None => DropDefault { table, column, only }.into(),
                });
            }
        }
    }
    operations
}

/// The tables that foreign keys of `table` point to which become parts of its new parent's: the triggers that looked after
/// them fall.
pub(super) fn replaced_targets<'a>(
    before: &'a Schema,
    after: &'a Schema,
    table: &'a QualifiedName,
) -> impl Iterator<Item = &'a QualifiedName> {
    let constraints = before.table(table).into_iter().flat_map(|table| table.constraints.values());
    constraints.filter_map(move |constraint| match &constraint.kind {
        ConstraintKind::ForeignKey(key) if constraint.parent.is_none() => {
            let adopted = after.table(table)?.constraints.get(&constraint.name)?.parent.is_some();
            Some(&key.references).filter(|_| adopted)
        }
        _ => None,
    })
}

/// The tables that foreign keys of `table` point to, but for itself.
pub(super) fn targets<'a>(schema: &'a Schema, table: &'a QualifiedName) -> impl Iterator<Item = &'a QualifiedName> {
    let constraints = schema.table(table).into_iter().flat_map(|table| table.constraints.values());
    constraints.filter_map(move |constraint| match &constraint.kind {
        ConstraintKind::ForeignKey(key) if key.references != *table => Some(&key.references),
        _ => None,
    })
}
