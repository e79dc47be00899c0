//! Which tables and views have to do with a name, without looking at all of them.
//!
//! What each of them is tied to is kept beside the schema, and brought up to date by those that have changed since the last
//! question: nothing that changes a schema has to know of it.

use super::map::Seen;
use super::{ConstraintKind, Map, Schema, Table, View};
use crate::name::QualifiedName;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard};

/// How a table or a view is tied to a name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Tie {
    /// It has an index, an index behind a constraint, or the sequence of an identity column of this name.
    Part(QualifiedName),
    /// It has a constraint of this name.
    Constraint(QualifiedName),
    /// It is a partition of this table, or inherits from it.
    Parent(QualifiedName),
    /// A foreign key of it points to this table.
    ForeignKey(QualifiedName),
    /// A column of it is of this type, or an array of it.
    Type(QualifiedName),
    /// It is a view that reads this relation itself.
    Reads(QualifiedName),
    /// It has a policy.
    Policy,
}

impl Tie {
    fn all_of_table(table: &Table) -> Vec<Self> {
        let here = |name: &crate::name::Name| table.name.sibling(name.clone());
        let mut all: Vec<Self> = table.indexes.keys().map(|index| Self::Part(here(index))).collect();
        for (name, constraint) in &table.constraints {
            all.push(Self::Constraint(here(name)));
            if constraint.kind.has_index() {
                all.push(Self::Part(here(name)));
            }
            if let ConstraintKind::ForeignKey(key) = &constraint.kind {
                all.push(Self::ForeignKey(key.references.clone()));
            }
        }
        for column in &table.columns {
            all.extend(column.identity.iter().map(|identity| Self::Part(here(&identity.sequence))));
            all.extend(column.data_type.named().cloned().map(Self::Type));
        }
        all.extend(table.parents().cloned().map(Self::Parent));
        all.extend((!table.policies.is_empty()).then_some(Self::Policy));
        all
    }

    fn all_of_view(name: &QualifiedName, view: &View) -> Vec<Self> {
        let indexes = view.indexes.keys().map(|index| Self::Part(name.sibling(index.clone())));
        indexes.chain(view.relations.iter().cloned().map(Self::Reads)).collect()
    }
}

/// What the values of a map are tied to, and which of them are tied to something.
#[derive(Clone, Default)]
struct Ties {
    seen: Seen<QualifiedName>,
    by_name: Map<QualifiedName, Vec<Tie>>,
    names: Map<Tie, Vec<Arc<QualifiedName>>>,
}

impl Ties {
    fn update<V>(&mut self, values: &Map<QualifiedName, V>, all_of: impl Fn(&QualifiedName, &V) -> Vec<Tie>) {
        for name in values.changed_since(&mut self.seen) {
            let mut now = values.get(&*name).map(|value| all_of(&name, value)).unwrap_or_default();
            now.sort();
            now.dedup();
            let before = self.by_name.get(&*name).map(Vec::as_slice).unwrap_or_default();
            if now == before {
                continue;
            }
            for gone in before.iter().filter(|tie| now.binary_search(tie).is_err()) {
                if let Some(names) = self.names.get_mut(gone) {
                    names.retain(|other| *other != name);
                    if names.is_empty() {
                        self.names.remove(gone);
                    }
                }
            }
            for come in now.iter().filter(|tie| before.binary_search(tie).is_err()) {
                let names = self.names.get_or_insert_with(come.clone(), Vec::new);
                let place = names.partition_point(|other| *other < name);
                names.insert(place, Arc::clone(&name));
            }
            if now.is_empty() {
                self.by_name.remove(&*name);
            } else {
                self.by_name.insert((*name).clone(), now);
            }
        }
    }

    fn of(&self, tie: &Tie) -> Vec<Arc<QualifiedName>> {
        self.names.get(tie).cloned().unwrap_or_default()
    }
}

#[derive(Clone, Default)]
struct Known {
    tables: Ties,
    views: Ties,
}

/// What is known so far. It follows from the rest of the schema, so it makes no difference between two.
#[derive(Default)]
pub struct Lookup(Mutex<Arc<Known>>);

impl Schema {
    fn known(&self) -> Arc<Known> {
        let mut shared = self.lookup.lock();
        let known = Arc::make_mut(&mut shared);
        known.tables.update(&self.tables, |_, table| Tie::all_of_table(table));
        known.views.update(&self.views, Tie::all_of_view);
        Arc::clone(&shared)
    }

    /// The tables with this tie, sorted by name.
    pub(crate) fn tables_that(&self, tie: &Tie) -> impl Iterator<Item = &Table> + use<'_> {
        let names = self.known().tables.of(tie);
        names.into_iter().filter_map(|name| self.tables.get(&*name))
    }

    /// A table and those with a foreign key to it, sorted by name.
    pub(crate) fn tables_around(&self, table: &QualifiedName) -> impl Iterator<Item = &Table> + use<'_> {
        let mut names = self.known().tables.of(&Tie::ForeignKey(table.clone()));
        if let Err(place) = names.binary_search_by(|name| name.as_ref().cmp(table)) {
            names.insert(place, Arc::new(table.clone()));
        }
        names.into_iter().filter_map(|name| self.tables.get(&*name))
    }

    /// The views with this tie, sorted by name.
    pub(crate) fn views_that(&self, tie: &Tie) -> impl Iterator<Item = (&QualifiedName, &View)> + use<'_> {
        let names = self.known().views.of(tie);
        names.into_iter().filter_map(|name| self.views.get_key_value(&*name))
    }
}

impl Lookup {
    fn lock(&self) -> MutexGuard<'_, Arc<Known>> {
        self.0.lock().unwrap_or_else(|poisoned| {
            // whatever was left in the middle of an update is found out again
            let mut guard = poisoned.into_inner();
            *guard = Arc::default();
            self.0.clear_poison();
            guard
        })
    }
}

impl Clone for Lookup {
    fn clone(&self) -> Self {
        Self(Mutex::new(Arc::clone(&self.lock())))
    }
}

impl PartialEq for Lookup {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}
impl Eq for Lookup {}

impl fmt::Debug for Lookup {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Lookup")
    }
}
