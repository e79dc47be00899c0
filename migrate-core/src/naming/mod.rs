//! The names that PostgreSQL gives to what has none: `makeObjectName`, `ChooseRelationName`, `ChooseConstraintName` and
//! `ChooseIndexName` of its `src/backend/commands/indexcmds.c` and `src/backend/catalog/pg_constraint.c`.

mod key_name;

use crate::expression::Sameness;
use crate::name::{MAX_BYTES, Name, QualifiedName};
use crate::report::truncate;
use crate::schema::{Column, Constraint, ConstraintKind, IndexKey, IndexKeyKind, Schema, Table, Tie};

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

/// Names that the statement at hand takes besides those of the schema. Constraints and relations don't share a namespace;
/// an index behind a constraint is in both.
#[derive(Default)]
struct Pending {
    relations: Vec<Name>,
    constraints: Vec<Name>,
}

impl Pending {
    fn add(&mut self, constraint: &Constraint) {
        self.constraints.push(constraint.name.clone());
        if constraint.kind.has_index() {
            self.relations.push(constraint.name.clone());
        }
    }
}

fn relation_taken(schema: &Schema, table: &QualifiedName, pending: &Pending, name: &str) -> bool {
    pending.relations.iter().any(|other| *other == name) || schema.relation_kind(&table.sibling(name)).is_some()
}

/// An unnamed constraint gets a name that no constraint of the whole schema has.
fn constraint_taken(schema: &Schema, table: &QualifiedName, pending: &Pending, name: &str) -> bool {
    pending.constraints.iter().any(|other| *other == name)
        || schema.tables_that(&Tie::Constraint(table.sibling(name))).next().is_some()
        || schema.domains.iter().any(|(domain, other)| domain.schema == table.schema && other.checks.contains_key(name))
}

/// An unnamed check of a domain, whose constraints have the names `taken` already.
#[must_use]
pub fn domain_check(schema: &Schema, domain: &QualifiedName, taken: &[Name]) -> Name {
    let pending = Pending { relations: Vec::new(), constraints: taken.to_vec() };
    choose(domain.name.as_str(), None, "check", |name| constraint_taken(schema, domain, &pending, name))
}

/// The sequence of a `serial` or identity column. PostgreSQL doesn't look at what the statement itself will create: two
/// columns whose names are cut to the same sequence are its error.
#[must_use]
pub fn sequence(schema: &Schema, table: &QualifiedName, column: &str) -> Name {
    choose(table.name.as_str(), Some(column), "seq", |name| schema.relation_kind(&table.sibling(name)).is_some())
}

/// An unnamed index on `table`.
#[must_use]
pub fn index(schema: &Schema, table: &QualifiedName, keys: &[IndexKey], include: &[Name]) -> Name {
    let keys = keys.iter().map(|key| match &key.kind {
        IndexKeyKind::Column(name) => name.to_string(),
        IndexKeyKind::Expression(expression) => key_name::key_name(expression.sql()).unwrap_or_else(|| "expr".to_owned()),
    });
    let addition = key_names(keys.chain(include.iter().map(ToString::to_string)));
    choose(table.name.as_str(), Some(&addition), "idx", |name| relation_taken(schema, table, &Pending::default(), name))
}

/// A constraint of `table`. `columns` are the table's, to tell which of them a check mentions.
fn constraint(schema: &Schema, table: &QualifiedName, columns: &[Column], kind: &ConstraintKind, pending: &Pending) -> Name {
    let table_name = table.name.as_str();
    let taken = |name: &str| constraint_taken(schema, table, pending, name);
    let taken_twice = |name: &str| relation_taken(schema, table, pending, name) || taken(name);
    match kind {
        ConstraintKind::PrimaryKey(_) => choose(table_name, None, "pkey", taken_twice),
        ConstraintKind::Unique(key) => {
            let addition = key_names(key.columns.iter().chain(&key.include).map(ToString::to_string));
            choose(table_name, Some(&addition), "key", taken_twice)
        }
        ConstraintKind::Exclude { definition } => {
            choose(table_name, Some(&key_names(key_name::of_exclusion(definition.sql()).into_iter())), "excl", taken_twice)
        }
        ConstraintKind::ForeignKey(key) => choose(table_name, Some(&join(key.columns.iter().map(Name::as_str))), "fkey", taken),
        ConstraintKind::Check { expression, .. } => {
            let known = columns.iter().map(|column| column.name.as_str()).chain(["tableoid"]);
            let mut mentioned = known.filter(|column| expression.mentions(column));
            let column = mentioned.next().filter(|_| mentioned.next().is_none());
            choose(table_name, column, "check", taken)
        }
    }
}

/// A constraint that a table gets from elsewhere: a partition from the partitioned table, a copy from what it is like.
#[must_use]
pub fn partition_constraint(schema: &Schema, table: &QualifiedName, columns: &[Column], kind: &ConstraintKind) -> Name {
    constraint(schema, table, columns, kind, &Pending::default())
}

/// The names of an index's columns, joined: a name that comes again gets a number.
fn key_names(keys: impl Iterator<Item = String>) -> String {
    let mut names: Vec<String> = Vec::new();
    for base in keys {
        let mut name = base.clone();
        let mut number = 1_u32;
        while names.contains(&name) {
            let suffix = number.to_string();
            name = format!("{}{suffix}", truncate(&base, MAX_BYTES - suffix.len()));
            number += 1;
        }
        names.push(name);
    }
    join(names.iter().map(String::as_str))
}

/// Names joined by `_`, up to the length from which PostgreSQL stops adding.
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

/// Names every unnamed constraint that one statement adds to `table`, and leaves out the redundant ones: of several keys
/// with the same columns PostgreSQL makes one, with the first name that was written, and the primary key has precedence.
pub fn name_constraints(schema: &Schema, table: &QualifiedName, columns: &[Column], constraints: &mut Vec<Constraint>) {
    merge_redundant(constraints);
    let mut pending = Pending { relations: vec![table.name.clone()], constraints: Vec::new() };
    constraints.iter().filter(|constraint| !constraint.name.as_str().is_empty()).for_each(|constraint| pending.add(constraint));
    for added in constraints.iter_mut().filter(|constraint| constraint.name.as_str().is_empty()) {
        added.name = constraint(schema, table, columns, &added.kind, &pending);
        pending.add(added);
    }
}

/// `transformIndexConstraints` of `src/backend/parser/parse_utilcmd.c`.
fn merge_redundant(constraints: &mut Vec<Constraint>) {
    let mut order: Vec<usize> = (0..constraints.len()).filter(|&i| constraints[i].kind.has_index()).collect();
    order.sort_by_key(|&i| !matches!(constraints[i].kind, ConstraintKind::PrimaryKey(_)));
    let mut kept: Vec<usize> = Vec::new();
    let mut redundant = Vec::new();
    for i in order {
        let same = |&earlier: &usize| {
            let (earlier, later) = (&constraints[earlier], &constraints[i]);
            earlier.deferral == later.deferral && same_index(&earlier.kind, &later.kind)
        };
        match kept.iter().copied().find(same) {
            Some(earlier) => {
                if constraints[earlier].name.as_str().is_empty() {
                    constraints[earlier].name = constraints[i].name.clone();
                }
                redundant.push(i);
            }
            None => kept.push(i),
        }
    }
    let mut i = 0;
    constraints.retain(|_| {
        i += 1;
        !redundant.contains(&(i - 1))
    });
}

fn same_index(left: &ConstraintKind, right: &ConstraintKind) -> bool {
    match (left, right) {
        (ConstraintKind::PrimaryKey(left) | ConstraintKind::Unique(left), ConstraintKind::Unique(right)) => {
            left.columns == right.columns && left.include == right.include && left.nulls_not_distinct == right.nulls_not_distinct
        }
        (ConstraintKind::Exclude { definition: left }, ConstraintKind::Exclude { definition: right }) => {
            left.compare(right) == Sameness::Equal
        }
        _ => false,
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
    // they were not written here
    key.referenced_columns = columns.unwrap_or_default().iter().map(|column| Name::new(column.as_str())).collect();
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
}
