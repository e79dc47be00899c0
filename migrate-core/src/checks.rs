//! Checks that several operations share: whether what a constraint or an index names is there.

mod family;

pub(crate) use family::{
    can_inherit, covers_partition_key, fits_parent, index_covers_partition_key, new_partition, own_column, partition_key,
};

use crate::data_type::{BaseType, DataType};
use crate::expression::Expression;
use crate::name::{At, Name, QualifiedName};
use crate::report::Report;
use crate::schema::{Column, Constraint, ConstraintKind, ForeignKey, Key, ObjectKey, Schema, Table};

/// Reports what is wrong with constraints that come with a new table or a new column. `table` is the table as it will be,
/// but for them.
pub(crate) fn new_constraints(schema: &Schema, mut table: Table, constraints: &[Constraint], report: &mut Report) {
    for added in constraints {
        if is_addable(schema, &table, added, None, report) {
            table.constraints.insert(added.name.clone(), added.clone());
        }
    }
    for added in constraints {
        constraint(schema, &table, added, report);
    }
}

/// Reports what is wrong with a new constraint of `table`, which is the table as it will be, but for the constraint.
pub(crate) fn constraint(schema: &Schema, table: &Table, constraint: &Constraint, report: &mut Report) {
    match &constraint.kind {
        ConstraintKind::PrimaryKey(key) | ConstraintKind::Unique(key) => {
            columns(schema, table, key.columns.iter().chain(&key.include), report);
            covers_partition_key(table, constraint, key_at(constraint, key, table), report);
        }
        ConstraintKind::ForeignKey(key) => foreign_key(schema, table, key, report),
        ConstraintKind::Check { expression, .. } | ConstraintKind::Exclude { definition: expression } => {
            references(schema, table, expression, report);
        }
    }
}

/// Where a key is written: its columns or its name.
fn key_at(constraint: &Constraint, key: &Key, table: &Table) -> At {
    let written = key.columns.iter().map(|column| column.at).chain([constraint.name.at]).find(|at| !at.range().is_empty());
    written.unwrap_or_else(|| table.name.at())
}

/// Reports the columns that `table` doesn't have.
pub(crate) fn columns<'a>(schema: &Schema, table: &Table, names: impl IntoIterator<Item = &'a Name>, report: &mut Report) {
    for name in names {
        if table.column(name.as_str()).is_none() {
            report.unknown_column_of(schema, table, name);
        }
    }
}

/// Reports what an expression over the columns of `table` reads and the table doesn't have. Each name is told once.
pub(crate) fn references(schema: &Schema, table: &Table, expression: &Expression, report: &mut Report) {
    let mut unknown: Vec<&Name> = Vec::new();
    for name in &expression.references {
        let whole_row = *name == table.name.name;
        let system = matches!(name.as_str(), "tableoid" | "ctid" | "xmin" | "xmax" | "cmin" | "cmax");
        if table.column(name.as_str()).is_none() && !whole_row && !system && !unknown.contains(&name) {
            unknown.push(name);
        }
    }
    columns(schema, table, unknown, report);
}

/// Reports what the expression of a generated column reads and its table doesn't have.
pub(crate) fn generated(schema: &Schema, table: &Table, column: &Column, report: &mut Report) {
    if let Some(generated) = &column.generated {
        references(schema, table, &generated.expression, report);
    }
}

fn foreign_key(schema: &Schema, table: &Table, key: &ForeignKey, report: &mut Report) {
    let known = report.problems.len();
    columns(schema, table, key.columns.iter().chain(&key.on_delete_columns), report);
    let target = if key.references == table.name {
        table
    } else {
        if !report.needs_table(schema, &key.references) {
            return;
        }
        let Some(target) = schema.table(&key.references) else { return };
        target
    };
    columns(schema, target, &key.referenced_columns, report);
    if report.problems.len() > known {
        return;
    }
    if key.referenced_columns.is_empty() {
        report.no_primary_key(&key.references);
    } else if key.columns.len() != key.referenced_columns.len() {
        report.foreign_key_length(key);
    } else if target.unique_keys(&key.referenced_columns).is_empty() {
        report.no_unique_key(key, target.deferrable_key(&key.referenced_columns).map(|constraint| &constraint.name));
    } else {
        let incomparable = key.columns.iter().zip(&key.referenced_columns).find_map(|(from, to)| {
            let (left, right) = (table.column(from.as_str())?, target.column(to.as_str())?);
            (!comparable(schema.stored_type(&left.data_type), schema.stored_type(&right.data_type))).then_some((left, right))
        });
        if let Some((from, to)) = incomparable {
            report.incomparable_columns(schema, key, &table.name, from, to);
        }
    }
}

/// Whether PostgreSQL may have an operator that compares values of the two types. Only where both are known for sure not
/// to have one the answer is no: types that somebody defined may have any operators.
fn comparable(left: &DataType, right: &DataType) -> bool {
    match (&left.base, &right.base) {
        (BaseType::Builtin(one), BaseType::Builtin(other)) => {
            left.array == right.array && (one == other || family(one).is_none() || family(other).is_none() || family(one) == family(other))
        }
        _ => true,
    }
}

fn family(base: &str) -> Option<&'static str> {
    Some(match base {
        "smallint" | "integer" | "bigint" | "numeric" | "real" | "double precision" => "number",
        "text" | "character varying" | "character" | "bpchar" | "name" => "text",
        "date" | "timestamp without time zone" | "timestamp with time zone" => "moment",
        "uuid" => "uuid",
        "boolean" => "boolean",
        "bytea" => "bytes",
        "jsonb" => "json",
        _ => return None,
    })
}

/// Reports what is wrong with a new constraint of `table` besides its definition: its name, or that there is a primary key
/// already. `leaving` is the index that will give up its name.
pub(crate) fn is_addable(schema: &Schema, table: &Table, constraint: &Constraint, leaving: Option<&Name>, report: &mut Report) -> bool {
    if !constraint_name(schema, table, constraint, leaving, report) {
        return false;
    }
    let existing = table.primary_key().filter(|_| matches!(constraint.kind, ConstraintKind::PrimaryKey(_)));
    if let Some(existing) = existing {
        report.second_primary_key(&table.name, &existing.name, constraint);
    }
    existing.is_none()
}

/// Reports a name that a constraint can't have: it is taken within the table, or, where PostgreSQL keeps an index of that
/// name, by any relation.
pub(crate) fn constraint_name(
    schema: &Schema,
    table: &Table,
    constraint: &Constraint,
    leaving: Option<&Name>,
    report: &mut Report,
) -> bool {
    let name = &constraint.name;
    if table.constraints.contains_key(name) {
        report.already_exists(schema, &ObjectKey::Constraint(table.name.clone(), name.clone()), name.at);
        return false;
    }
    if constraint.kind.has_index() && leaving != Some(name) {
        return relation_name(schema, &table.name.sibling(name.clone()), report);
    }
    true
}

/// Reports the name of a new index, or of a constraint with one, that another relation has.
pub(crate) fn relation_name(schema: &Schema, name: &QualifiedName, report: &mut Report) -> bool {
    match schema.relation_kind(name) {
        Some("index") => report.index_exists(schema, name),
        Some(kind) => report.relation_exists(name, kind, name.at()),
        None => return true,
    }
    false
}
