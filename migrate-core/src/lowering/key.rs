//! `add unique` and `add primary key`, whose index is built before, concurrently.

use super::not_null::Proof;
use super::{Lowering, Pace, Phase, alone, phase};
use crate::effects::LockMode;
use crate::expression::Sameness;
use crate::name::{Name, QualifiedName};
use crate::operation::Operate as _;
use crate::ops::AddConstraint;
use crate::render;
use crate::schema::{ConstraintKind, Index, IndexKey, IndexKeyKind, Key, ObjectKey, Schema, Table};
use std::collections::BTreeSet;

pub(super) fn lower(add: &AddConstraint, before: &Schema) -> Option<Lowering> {
    let (table, constraint) = (alone(before, &add.table)?, &add.constraint);
    let (key, is_primary) = match &constraint.kind {
        ConstraintKind::PrimaryKey(key) => (key, true),
        ConstraintKind::Unique(key) => (key, false),
        _ => return None,
    };
    if add.using_index.is_some() || table.constraints.contains_key(constraint.name.as_str()) || !columns_are_known(table, key) {
        return None;
    }
    let (name, own) = (add.table.sibling(constraint.name.clone()), &add.table);
    let index = index(&constraint.name, key);
    let is_built = is_built(before, &name, table, &index);
    // what a killed build has left is in the way of the statement as it was written, too
    let is_left = table.indexes.get(constraint.name.as_str()).is_some_and(|index| !index.valid);
    let exclusive = [(own, LockMode::AccessExclusive)];
    let mut phases: Vec<Phase> = Vec::new();
    let (mut last, mut undo) = (Vec::new(), Vec::new());
    let mut is_begun = is_built || is_left;
    let mut proofs = BTreeSet::new();
    // a primary key would look for nulls under its lock
    let nullable = |column: &&Name| is_primary && table.column(column.as_str()).is_some_and(|column| !column.not_null);
    // PostgreSQL refuses a key of what isn't validated, and says so
    let refused = |column: &Name| table.column(column.as_str()).is_some_and(|column| column.not_null_unvalidated().is_some());
    if is_primary && key.columns.iter().any(refused) {
        return None;
    }
    for column in key.columns.iter().filter(nullable) {
        let proof = Proof::new(table, column)?;
        // of two long names the same may be left
        if !proofs.insert(proof.name.clone()) {
            return None;
        }
        phases.extend(proof.phases());
        last.push(format!("alter table {} alter column {} set not null", own.quoted(), column.quoted()));
        last.push(proof.drop());
        undo.push(proof.drop());
        is_begun |= proof.found.is_some();
    }
    if !is_built {
        phases.push(phase(Pace::Outside, vec![render::index(own, &index, true)], &[(own, LockMode::ShareUpdateExclusive)]));
    }
    last.extend(AddConstraint { using_index: Some(constraint.name.clone()), ..add.clone() }.render());
    phases.push(phase(Pace::Short, last, &exclusive));
    Some(Lowering { table: own.clone(), phases, is_begun, undo, index: Some(name), fill: None })
}

fn columns_are_known(table: &Table, key: &Key) -> bool {
    key.columns.iter().chain(&key.include).all(|column| table.column(column.as_str()).is_some())
}

/// The index that PostgreSQL makes for the constraint.
fn index(name: &Name, key: &Key) -> Index {
    let keys = key.columns.iter().map(|column| IndexKey {
        kind: IndexKeyKind::Column(column.clone()),
        collation: None,
        operator_class: None,
        descending: false,
        nulls_first: false,
    });
    Index {
        name: name.clone(),
        unique: true,
        method: "btree".to_owned(),
        keys: keys.collect(),
        include: key.include.clone(),
        nulls_not_distinct: key.nulls_not_distinct,
        predicate: None,
        storage: key.storage.clone(),
        tablespace: None,
        only: false,
        valid: true,
        comment: None,
        parent: None,
    }
}

/// Whether it is there, valid, and like the one that would be built.
fn is_built(before: &Schema, name: &QualifiedName, table: &Table, index: &Index) -> bool {
    let key = ObjectKey::Index(name.clone());
    let found = before.table_of_index(name).filter(|found| found.name == table.name).and_then(|_| before.definition(&key));
    let Some(found) = found else { return false };
    let mut wanted = Schema::default();
    let mut bare = table.clone();
    bare.indexes.clear();
    wanted.tables.insert(table.name.clone(), bare);
    wanted.add_index(&table.name, index);
    let Some(wanted) = wanted.definition(&key) else { return false };
    let same = |left: &crate::schema::Definition, right: &crate::schema::Definition| {
        left.facts
            .iter()
            .filter(|fact| fact.aspect != "comment")
            .all(|fact| right.get(&fact.aspect).is_some_and(|other| fact.value.compare(other) == Sameness::Equal))
    };
    same(&found, &wanted) && same(&wanted, &found)
}
