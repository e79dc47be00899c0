//! Checks of partitions and inheritance.

use crate::name::{At, Name, QualifiedName};
use crate::report::Report;
use crate::schema::{Bound, Constraint, ConstraintKind, Index, IndexKeyKind, Partition, Schema, Table};

/// Reports what `partition by` names and the table doesn't have.
pub(crate) fn partition_key(schema: &Schema, table: &Table, report: &mut Report) {
    if let Some(key) = &table.partition_by {
        super::references(schema, table, key, report);
    }
}

/// Reports a constraint that PostgreSQL couldn't check across partitions: its index is one index a partition.
pub(crate) fn covers_partition_key(table: &Table, constraint: &Constraint, at: At, report: &mut Report) {
    let (kind, key) = match &constraint.kind {
        ConstraintKind::PrimaryKey(key) => ("primary key", key),
        ConstraintKind::Unique(key) => ("unique constraint", key),
        _ => return,
    };
    lacks_partition_key(table, kind, &key.columns, at, report);
}

/// The same of a unique index.
pub(crate) fn index_covers_partition_key(table: &Table, index: &Index, at: At, report: &mut Report) {
    if index.unique {
        let columns = index.keys.iter().filter_map(|key| match &key.kind {
            IndexKeyKind::Column(name) => Some(name.clone()),
            IndexKeyKind::Expression(_) => None,
        });
        lacks_partition_key(table, "unique index", &columns.collect::<Vec<_>>(), at, report);
    }
}

fn lacks_partition_key(table: &Table, kind: &str, columns: &[Name], at: At, report: &mut Report) {
    if table.is_partitioned_by_expression() {
        report.no_key_over_expression(&table.name, kind, at);
        return;
    }
    let known = table.partition_columns().into_iter().filter(|column| table.column(column.as_str()).is_some());
    if let Some(missing) = known.into_iter().find(|column| !columns.contains(column)) {
        report.key_lacks_partition_column(&table.name, kind, &missing, at);
    }
}

/// Reports a partition that the table can't have.
pub(crate) fn new_partition(schema: &Schema, partition: &Partition, report: &mut Report) {
    let Some(parent) = schema.table(&partition.of) else { return };
    let Some(key) = &parent.partition_by else {
        report.not_partitioned(&partition.of);
        return;
    };
    let at = partition.bound.at;
    let Some(bound) = Bound::read(&partition.bound) else { return };
    let strategy = key.sql().split_whitespace().nth(2).unwrap_or_default().trim_end_matches('(').to_lowercase();
    if let Some(written) = bound.strategy().filter(|written| *written != strategy) {
        report.other_strategy(&parent.name, &strategy, written, at);
        return;
    }
    match &bound {
        Bound::Default if strategy == "hash" => report.no_default_of_hash(&parent.name, at),
        Bound::Range(from, to) => {
            let columns = parent.partition_items();
            if columns > 0 && (from.len() != columns || to.len() != columns) {
                report.bound_length(&parent.name, columns, at);
                return;
            }
            if bound.is_empty() {
                report.empty_bound(at);
            }
        }
        Bound::Hash(modulus, remainder) if remainder >= modulus => report.remainder_too_large(at),
        _ => {}
    }
    for other in schema.partitions(&parent.name) {
        let of_other = schema.table(&other).and_then(|table| Bound::read(&table.partition.as_ref()?.bound));
        if of_other.is_some_and(|other| other.overlaps(&bound)) {
            report.overlaps_partition(&parent.name, &other, bound == Bound::Default, at);
            return;
        }
    }
}

/// Reports a table that nothing inherits from.
pub(crate) fn can_inherit(schema: &Schema, parent: &QualifiedName, report: &mut Report) {
    let Some(table) = schema.table(parent) else { return };
    if table.is_partitioned() {
        report.no_inheritance_from(parent, "partitioned table", "write `partition of` instead");
    } else if table.partition.is_some() {
        report.no_inheritance_from(parent, "partition", "inherit from a plain table");
    }
}

/// Reports a table that lacks what its new parent has: columns, `not null`, check constraints.
pub(crate) fn fits_parent(schema: &Schema, of: &QualifiedName, name: &QualifiedName, report: &mut Report) {
    let (Some(parent), Some(child)) = (schema.table(of), schema.table(name)) else { return };
    if of == name || schema.descendants(name).contains(of) {
        report.circular_inheritance(of, name);
        return;
    }
    for column in &parent.columns {
        match child.column(column.name.as_str()) {
            None => report.child_lacks_column(of, name, &column.name),
            Some(own) if own.data_type != column.data_type => {
                report.child_has_other_type(of, name, own, &column.data_type);
            }
            Some(own) if column.not_null && !own.not_null => report.child_may_be_null(of, name, &column.name),
            Some(_) => {}
        }
    }
    for constraint in parent.constraints.values() {
        if matches!(constraint.kind, ConstraintKind::Check { no_inherit: false, .. }) && !child.constraints.contains_key(&constraint.name) {
            report.child_lacks_check(of, name, &constraint.name);
        }
    }
    if parent.is_partitioned() {
        let further = child.columns.iter().find(|column| parent.column(column.name.as_str()).is_none());
        if let Some(further) = further {
            report.child_has_further_column(of, name, &further.name);
        }
        let own = child.primary_key().zip(parent.primary_key());
        if let Some((own, of_parent)) = own.filter(|(own, of_parent)| own.kind.key_columns() != of_parent.kind.key_columns()) {
            report.second_primary_key(
                name,
                &own.name,
                &Constraint { name: Name::written(of_parent.name.as_str(), name.at()), ..of_parent.clone() },
            );
        }
    }
}

/// Reports a change of a column that the table only has from its parent. The answer says whether it may be changed here.
pub(crate) fn own_column(schema: &Schema, table: &QualifiedName, column: &Name, verb: &str, report: &mut Report) -> bool {
    let Some(parent) = schema.parent_with_column(table, column.as_str()) else { return true };
    report.inherited_column(table, column, parent, verb);
    false
}
