//! What is stated against what was seen.

use crate::observe::Seen;
use migrate_core::effects::{Effects, LockMode};
use migrate_core::name::QualifiedName;
use migrate_core::operation::{Operate, Operation};
use migrate_core::schema::Schema;
use std::collections::BTreeSet;

/// Each difference of what an operation showed on a server of this version as one line.
pub fn differences(model: &Schema, operation: &Operation, version: u32, seen: &Seen) -> Vec<String> {
    let effects = &operation.effects(model);
    let mut differences = locks(model, effects, seen, |table| match operation {
        // what is stated is the lock of the servers that take the strongest one
        Operation::AddConstraint(add) => version < 18 && model.descendants(&add.table).contains(table),
        _ => false,
    });
    let with_rows = |names: &[QualifiedName]| -> BTreeSet<_> {
        names.iter().filter(|name| has_readers(model, name) && !is_partitioned(model, name)).cloned().collect()
    };
    let (stated, found) = (with_rows(&effects.rewrites), with_rows(&seen.rewrites));
    differences.extend(sets("rewrites", &stated, &found));
    if let Some(scans) = &seen.scans {
        let read = |names| &with_rows(names) - &found;
        // whether all rows are read through an index or some, nobody counts
        let (stated, through_index) = (read(&effects.scans), read(&seen.index_scans));
        let scanned = read(scans).into_iter().chain(stated.intersection(&through_index).cloned()).collect();
        differences.extend(sets("scans", &stated, &scanned));
    }
    differences
}

fn locks(model: &Schema, effects: &Effects, seen: &Seen, may_be_weaker: impl Fn(&QualifiedName) -> bool) -> Vec<String> {
    let mut differences = Vec::new();
    let name_of = |mode: Option<LockMode>| mode.map_or("none", LockMode::pg_locks_name);
    let mut compare = |table: &QualifiedName, stated: Option<LockMode>, seen: Option<LockMode>| {
        if stated != seen && !(seen < stated && may_be_weaker(table)) {
            differences.push(format!("lock on {table}: stated {}, seen {}", name_of(stated), name_of(seen)));
        }
    };
    for (table, mode) in &effects.locks {
        compare(table, Some(*mode), seen.locks.get(table).copied());
    }
    for (table, mode) in &seen.locks {
        let may_be_unstated = *mode == LockMode::AccessShare || !has_readers(model, table);
        if !may_be_unstated && !effects.locks.iter().any(|(stated, _)| stated == table) {
            compare(table, None, Some(*mode));
        }
    }
    differences
}

fn sets(what: &str, stated: &BTreeSet<QualifiedName>, seen: &BTreeSet<QualifiedName>) -> Option<String> {
    let list = |names: &BTreeSet<QualifiedName>| {
        let names: Vec<_> = names.iter().map(ToString::to_string).collect();
        if names.is_empty() { "nothing".to_owned() } else { names.join(", ") }
    };
    (stated != seen).then(|| format!("{what}: stated {}, seen {}", list(stated), list(seen)))
}

/// Whether the model has a definition of the relation, and queries read it.
fn has_readers(model: &Schema, name: &QualifiedName) -> bool {
    model.tables.contains_key(name) || model.views.contains_key(name)
}

fn is_partitioned(model: &Schema, name: &QualifiedName) -> bool {
    model.table(name).is_some_and(migrate_core::schema::Table::is_partitioned)
}
