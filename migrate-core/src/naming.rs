//! The names that PostgreSQL gives to what has none: `makeObjectName`, `ChooseRelationName`, `ChooseConstraintName` and
//! `ChooseIndexName` of its `src/backend/commands/indexcmds.c` and `src/backend/catalog/pg_constraint.c`.

use crate::name::{MAX_BYTES, Name, QualifiedName};
use crate::report::truncate;
use crate::schema::{Column, Constraint, ConstraintKind, IndexKey, IndexKeyKind, Schema, Table};

/// `name1_name2_label`, where the longer of the two names is shortened until the whole fits.
#[must_use]
pub fn make_object_name(name1: &str, name2: Option<&str>, label: &str) -> String {
    let overhead = label.len() + 1 + name2.map_or(0, |_| 1);
    let available = MAX_BYTES.saturating_sub(overhead);
    let (mut length1, mut length2) = (name1.len(), name2.map_or(0, str::len));
    while length1 + length2 > available {
        if length1 > length2 { length1 -= 1 } else { length2 -= 1 }
    }
    let name1 = truncate(name1, length1);
    match name2 {
        Some(name2) => format!("{name1}_{}_{label}", truncate(name2, length2)),
        None => format!("{name1}_{label}"),
    }
}

/// The first of `label`, `label1`, `label2`, … that gives a free name.
fn choose(name1: &str, name2: Option<&str>, label: &str, taken: impl Fn(&str) -> bool) -> Name {
    let mut pass = 0_u32;
    loop {
        let modified = if pass == 0 { label.to_owned() } else { format!("{label}{pass}") };
        let name = make_object_name(name1, name2, &modified);
        if !taken(&name) {
            return Name::new(name);
        }
        pass += 1;
    }
}

/// Whether a relation of that name is in `table`'s schema, or will be once the statement is done.
fn relation_taken(schema: &Schema, table: &QualifiedName, pending: &[Name], name: &str) -> bool {
    pending.iter().any(|other| *other == name) || schema.relation_kind(&table.sibling(name)).is_some()
}

fn constraint_taken(schema: &Schema, table: &QualifiedName, pending: &[Name], name: &str) -> bool {
    let in_schema = |other: &&Table| other.name.schema == table.schema;
    pending.iter().any(|other| *other == name) || schema.tables.values().filter(in_schema).any(|other| other.constraints.contains_key(name))
}

/// The sequence of a `serial` or identity column.
#[must_use]
pub fn sequence(schema: &Schema, table: &QualifiedName, column: &str, pending: &[Name]) -> Name {
    choose(table.name.as_str(), Some(column), "seq", |name| relation_taken(schema, table, pending, name))
}

/// An unnamed constraint of `table`. `columns` are the table's, to tell which of them a check mentions.
#[must_use]
pub fn constraint(schema: &Schema, table: &QualifiedName, columns: &[Column], kind: &ConstraintKind, pending: &[Name]) -> Name {
    let table_name = table.name.as_str();
    let both = |name: &str| relation_taken(schema, table, pending, name) || constraint_taken(schema, table, pending, name);
    match kind {
        ConstraintKind::PrimaryKey(_) => choose(table_name, None, "pkey", both),
        ConstraintKind::Unique(key) => {
            choose(table_name, Some(&join(key.columns.iter().chain(&key.include).map(Name::as_str))), "key", both)
        }
        ConstraintKind::Exclude { definition } => {
            let mentioned = definition.columns();
            let columns = columns.iter().map(|column| column.name.as_str()).filter(|name| mentioned.iter().any(|m| m == name));
            choose(table_name, Some(&join(columns)), "excl", both)
        }
        ConstraintKind::ForeignKey(key) => choose(table_name, Some(&join(key.columns.iter().map(Name::as_str))), "fkey", |name| {
            constraint_taken(schema, table, pending, name)
        }),
        ConstraintKind::Check { expression, .. } => {
            let mentioned: Vec<_> = columns.iter().filter(|column| expression.mentions(column.name.as_str())).collect();
            let column = match mentioned.as_slice() {
                [column] => Some(column.name.as_str()),
                _ => None,
            };
            choose(table_name, column, "check", |name| constraint_taken(schema, table, pending, name))
        }
    }
}

/// An unnamed index on `table`.
#[must_use]
pub fn index(schema: &Schema, table: &QualifiedName, keys: &[IndexKey], include: &[Name], pending: &[Name]) -> Name {
    let mut names: Vec<String> = Vec::new();
    for key in keys {
        let base = match &key.kind {
            IndexKeyKind::Column(name) => name.as_str(),
            IndexKeyKind::Expression(expression) => function_name(expression.sql()).unwrap_or("expr"),
        };
        let mut name = base.to_owned();
        let mut number = 1_u32;
        while names.contains(&name) {
            let suffix = number.to_string();
            name = format!("{}{suffix}", truncate(base, MAX_BYTES - suffix.len()));
            number += 1;
        }
        names.push(name);
    }
    names.extend(include.iter().map(|name| name.as_str().to_owned()));
    let joined = join(names.iter().map(String::as_str));
    choose(table.name.as_str(), Some(&joined), "idx", |name| relation_taken(schema, table, pending, name))
}

/// PostgreSQL calls a key that is a function call after the function.
fn function_name(sql: &str) -> Option<&str> {
    let (name, rest) = sql.split_once('(')?;
    let name = name.trim().rsplit('.').next()?;
    let whole_call = rest.trim_end().ends_with(')') && depth_closes_at_end(rest);
    (whole_call && !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')).then_some(name)
}

fn depth_closes_at_end(rest: &str) -> bool {
    let mut depth = 1_i32;
    let trimmed = rest.trim_end();
    for (i, c) in trimmed.char_indices() {
        depth += match c {
            '(' => 1,
            ')' => -1,
            _ => 0,
        };
        if depth == 0 {
            return i + 1 == trimmed.len();
        }
    }
    false
}

/// Column names joined by `_`, up to the length from which PostgreSQL stops adding.
fn join<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let mut joined = String::new();
    for name in names {
        if !joined.is_empty() {
            joined.push('_');
        }
        joined.push_str(name);
        if joined.len() > MAX_BYTES {
            break;
        }
    }
    joined
}

/// Names every unnamed constraint in `constraints`, in PostgreSQL's order: checks, then keys (the primary key first), then
/// foreign keys. `pending` are names that the statement has taken already.
pub fn name_constraints(
    schema: &Schema,
    table: &QualifiedName,
    columns: &[Column],
    constraints: &mut [Constraint],
    pending: &mut Vec<Name>,
) {
    pending.extend(constraints.iter().filter(|constraint| !constraint.name.as_str().is_empty()).map(|constraint| constraint.name.clone()));
    let rank = |kind: &ConstraintKind| match kind {
        ConstraintKind::Check { .. } => 0,
        ConstraintKind::PrimaryKey(_) => 1,
        ConstraintKind::Unique(_) | ConstraintKind::Exclude { .. } => 2,
        ConstraintKind::ForeignKey(_) => 3,
    };
    let mut order: Vec<usize> = (0..constraints.len()).collect();
    order.sort_by_key(|&i| rank(&constraints[i].kind));
    for i in order {
        if constraints[i].name.as_str().is_empty() {
            let name = constraint(schema, table, columns, &constraints[i].kind, pending);
            pending.push(name.clone());
            constraints[i].name = name;
        }
    }
}

/// Fills in the referenced columns of a foreign key that names none: those of the target's primary key. The target may be
/// the table itself, which is then given as `own`.
pub fn complete_foreign_key(schema: &Schema, own: Option<(&QualifiedName, &[Constraint])>, constraint: &mut Constraint) {
    let ConstraintKind::ForeignKey(key) = &mut constraint.kind else { return };
    if !key.referenced_columns.is_empty() {
        return;
    }
    let primary = |constraint: &Constraint| match &constraint.kind {
        ConstraintKind::PrimaryKey(key) => Some(key.columns.clone()),
        _ => None,
    };
    let columns = match own {
        Some((name, constraints)) if *name == key.references => constraints.iter().find_map(primary),
        _ => schema.table(&key.references).and_then(Table::primary_key).and_then(primary),
    };
    key.referenced_columns = columns.unwrap_or_default();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shortens_the_longer_name() {
        let table = "a_very_long_table_name_that_goes_on_and_on_and_on_and_on_and_on";
        let name = make_object_name(table, Some("column"), "key");
        assert_eq!(name, "a_very_long_table_name_that_goes_on_and_on_and_on_an_column_key");
        assert_eq!(name.len(), MAX_BYTES);
    }

    #[test]
    fn calls_an_expression_after_its_function() {
        assert_eq!(function_name("lower(title)"), Some("lower"));
        assert_eq!(function_name("lower(a) || lower(b)"), None);
        assert_eq!(function_name("(a + b)"), None);
    }
}
