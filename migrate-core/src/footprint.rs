//! What a branch of the chain changes and needs, and whether two branches can be merged in either order.
//!
//! Coarse on purpose: a table covers its columns, constraints and indexes, a schema all that is in it. What the model
//! doesn't see (a Rust step, a function's body, what else needs a type that is dropped) commutes with nothing, and says so.

use crate::data_type::DataType;
use crate::name::QualifiedName;
use crate::operation::{Operate, Operation};
use crate::report::Report;
use crate::schema::{ConstraintKind, Map, ObjectKey, Origin, Routine, Schema, Signature, Table};
use crate::step::{Action, Step};
use std::collections::{BTreeMap, BTreeSet};

/// A thing that two branches may both be about. Relations and types share their names.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Thing {
    Schema(String),
    Named(QualifiedName),
    Other(String),
}

/// What a branch changes and needs.
#[derive(Clone, Debug, Default)]
pub struct Footprint {
    /// The first step that changes it, and what it is called.
    changes: BTreeMap<Thing, (usize, String)>,
    /// The first step that needs it.
    needs: BTreeMap<Thing, usize>,
    /// The steps of which nobody knows what they change.
    unknown: Vec<usize>,
    steps: usize,
}

/// Why the order of two branches matters. Steps count from 0, in each branch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Clash {
    /// Both change it.
    Both {
        /// What: ``table `documents` ``.
        object: String,
        /// The step of the first branch.
        left: usize,
        /// The step of the second one.
        right: usize,
    },
    /// One changes what the other needs.
    Needed {
        /// What: ``table `documents` ``.
        object: String,
        /// Whether it is the first branch that changes it.
        by_left: bool,
        /// The step of the first branch.
        left: usize,
        /// The step of the second one.
        right: usize,
    },
    /// Nobody knows what a step changes.
    Unknown {
        /// Whether it is one of the first branch.
        of_left: bool,
        /// The step.
        step: usize,
    },
}

impl Footprint {
    /// The footprint of the steps of a branch, with the names in them that PostgreSQL would choose, on the schema that both
    /// branches start from.
    #[must_use]
    pub fn of<'a>(steps: impl IntoIterator<Item = &'a Step>, base: &Schema) -> Self {
        let mut footprint = Self::default();
        let mut schema = base.clone();
        for (i, step) in steps.into_iter().enumerate() {
            let before = schema.clone();
            step.clone().replay(&mut schema, &Origin::default(), &mut Report::default());
            footprint.add(i, step, &before, &schema);
            footprint.steps = i + 1;
        }
        footprint
    }

    /// Why the order of two branches matters, one reason an object; nothing if both orders lead to the same schema.
    #[must_use]
    pub fn clashes(&self, other: &Self) -> Vec<Clash> {
        let mut clashes = Vec::new();
        for (thing, (left, object)) in &self.changes {
            let object = object.clone();
            if let Some((right, _)) = other.changes.get(thing) {
                clashes.push(Clash::Both { object, left: *left, right: *right });
            } else if let Some(right) = other.needs.get(thing) {
                clashes.push(Clash::Needed { object, by_left: true, left: *left, right: *right });
            }
        }
        for (thing, (right, object)) in &other.changes {
            if let Some(left) = self.needs.get(thing).filter(|_| !self.changes.contains_key(thing)) {
                clashes.push(Clash::Needed { object: object.clone(), by_left: false, left: *left, right: *right });
            }
        }
        // what is empty commutes with everything
        let unknown = |of: &Self, other: &Self| of.unknown.first().copied().filter(|_| other.steps > 0);
        clashes.extend(unknown(self, other).map(|step| Clash::Unknown { of_left: true, step }));
        clashes.extend(unknown(other, self).map(|step| Clash::Unknown { of_left: false, step }));
        clashes
    }

    fn add(&mut self, i: usize, step: &Step, before: &Schema, after: &Schema) {
        if let Some(table) = &step.when {
            self.need(i, Thing::Named(table.clone()));
        }
        match &step.action {
            Action::Change(operation) => {
                self.operation(i, operation, before, after);
                self.difference(i, before, after);
            }
            // it takes what is declared as given: only what it makes of the model counts
            Action::Declare { .. } => self.difference(i, before, after),
            Action::Run { .. } => self.unknown.push(i),
            Action::Assert { query, .. } => self.query(i, query),
        }
    }

    fn operation(&mut self, i: usize, operation: &Operation, before: &Schema, after: &Schema) {
        let (touched, required) = (operation.touches(), operation.requires());
        if let Operation::Opaque(opaque) = operation {
            let created = opaque.creates.iter().map(|(_, name)| name);
            let named: Vec<_> = opaque.relations.iter().chain(&opaque.unknown).chain(created).chain(&opaque.drops).collect();
            if named.is_empty() {
                self.unknown.push(i);
            }
            for name in named {
                self.change(i, Thing::Named(name.clone()), before, after);
            }
        }
        match operation {
            Operation::Backfill(backfill) if backfill.function().is_some() => self.unknown.push(i),
            // nobody knows what the body reads
            Operation::CreateRoutine(_) => self.unknown.push(i),
            Operation::CreateTrigger(create) => {
                self.need(i, routine(&Signature { name: create.trigger.function.clone(), arguments: Vec::new() }));
            }
            _ => {}
        }
        // what is only required, and nothing touched, is where its rows are changed
        for key in &required {
            for thing in things(key, before, after) {
                if touched.is_empty() {
                    self.change(i, thing, before, after);
                } else {
                    self.need(i, thing);
                }
            }
        }
        for key in &touched {
            for thing in things(key, before, after) {
                self.change(i, thing, before, after);
            }
            let leaves = before.definition(key).is_some() && after.definition(key).is_none();
            let followed = matches!(key, ObjectKey::View(_) | ObjectKey::Index(_)) || key.table().is_some();
            if leaves && !followed {
                self.unknown.push(i);
            }
        }
    }

    /// What the model says has changed, also where the operation doesn't name it.
    fn difference(&mut self, i: usize, before: &Schema, after: &Schema) {
        // whoever adds a kind of object decides here what it stands for
        let Schema {
            schemas,
            extensions,
            tables,
            enums,
            domains,
            composites,
            sequences,
            views,
            others,
            routines,
            other_routines,
            triggers,
            comments,
            default_access,
            sqlite_triggers: _,
            observed: _,
            departed: _,
            arrived: _,
            temporaries: _,
            lookup: _,
        } = after;
        // whatever is created afterwards gets other rights
        if before.default_access != *default_access {
            self.unknown.push(i);
        }
        for name in differing(&before.tables, tables) {
            self.change(i, Thing::Named(name.clone()), before, after);
            let (old, new) = (before.table(name), after.table(name));
            let owned = |table: Option<&Table>| table.into_iter().flat_map(names_of).collect::<BTreeSet<QualifiedName>>();
            for name in owned(old).symmetric_difference(&owned(new)) {
                self.change(i, Thing::Named(name.clone()), before, after);
            }
            for needed in new.into_iter().flat_map(needs_of).filter(|needed| needed != name) {
                self.need(i, Thing::Named(needed));
            }
        }
        for name in differing(&before.views, views) {
            self.change(i, Thing::Named(name.clone()), before, after);
            for needed in after.views.get(name).into_iter().flat_map(|view| &view.relations) {
                self.need(i, Thing::Named(needed.clone()));
            }
        }
        let types =
            differing(&before.enums, enums).chain(differing(&before.domains, domains)).chain(differing(&before.composites, composites));
        let others =
            differing(&before.sequences, sequences).chain(differing(&before.others, others)).chain(differing(&before.triggers, triggers));
        for name in types.chain(others) {
            self.change(i, Thing::Named(name.clone()), before, after);
        }
        let bases = domains.iter().filter(|(name, _)| !before.domains.contains_key(*name)).map(|(_, domain)| &domain.base);
        let fields =
            composites.iter().filter(|(name, new)| before.composites.get(*name) != Some(*new)).flat_map(|(_, new)| &new.attributes);
        for needed in bases.chain(fields.map(|field| &field.data_type)).filter_map(DataType::named) {
            self.need(i, Thing::Named(needed.clone()));
        }
        for signature in differing(&before.routines, routines) {
            self.change(i, routine(signature), before, after);
            self.need(i, Thing::Schema(signature.name.schema.to_string()));
            let used = after.routines.get(signature).into_iter().flat_map(Routine::types).filter_map(DataType::named);
            for needed in used {
                self.need(i, Thing::Named(needed.clone()));
            }
        }
        for name in before.other_routines.symmetric_difference(other_routines) {
            self.change(i, Thing::Other(format!("function {name}")), before, after);
        }
        for name in differing(&before.schemas, schemas) {
            self.change(i, Thing::Schema(name.to_string()), before, after);
        }
        for name in differing(&before.extensions, extensions) {
            self.change(i, Thing::Other(format!("extension {name}")), before, after);
        }
        for name in differing(&before.comments, comments) {
            self.change(i, Thing::Other(format!("comment on {name}")), before, after);
        }
    }

    #[cfg(feature = "parser")]
    fn query(&mut self, i: usize, query: &str) {
        let parsed = crate::lower::parse(query).unwrap_or_default();
        let operations: Vec<Operation> = parsed.into_iter().flat_map(|statement| statement.operations).collect();
        let relations: Vec<QualifiedName> = operations
            .into_iter()
            .filter_map(|operation| if let Operation::Opaque(opaque) = operation { Some(opaque.relations) } else { None })
            .flatten()
            .collect();
        if relations.is_empty() {
            self.unknown.push(i);
        }
        for name in relations {
            self.need(i, Thing::Named(name));
        }
    }

    #[cfg(not(feature = "parser"))]
    fn query(&mut self, i: usize, _query: &str) {
        self.unknown.push(i);
    }

    fn change(&mut self, i: usize, thing: Thing, before: &Schema, after: &Schema) {
        if let Thing::Named(name) = &thing {
            self.need(i, Thing::Schema(name.schema.to_string()));
        }
        let called = called(&thing, before, after);
        self.changes.entry(thing).or_insert((i, called));
    }

    fn need(&mut self, i: usize, thing: Thing) {
        if let Thing::Named(name) = &thing {
            self.needs.entry(Thing::Schema(name.schema.to_string())).or_insert(i);
        }
        self.needs.entry(thing).or_insert(i);
    }
}

fn routine(signature: &Signature) -> Thing {
    Thing::Other(ObjectKey::Routine(signature.clone()).to_string())
}

/// What a key is about, as coarse as things are.
fn things(key: &ObjectKey, before: &Schema, after: &Schema) -> Vec<Thing> {
    match key {
        ObjectKey::Schema(name) => vec![Thing::Schema(name.to_string())],
        ObjectKey::Index(name) => {
            let relation = |schema: &Schema| {
                let behind_constraint = || schema.table_of_constraint_index(name).map(|table| table.name.clone());
                schema.index(name).map(|(relation, _)| relation.clone()).or_else(behind_constraint)
            };
            let relations = [before, after].into_iter().filter_map(relation);
            relations.chain([name.clone()]).map(Thing::Named).collect()
        }
        ObjectKey::Type(name) | ObjectKey::Sequence(name) | ObjectKey::View(name) => vec![Thing::Named(name.clone())],
        key => match key.table() {
            Some(table) => vec![Thing::Named(table.clone())],
            None => vec![Thing::Other(key.to_string())],
        },
    }
}

/// As a person says it.
fn called(thing: &Thing, before: &Schema, after: &Schema) -> String {
    match thing {
        Thing::Schema(name) => format!("schema `{name}`"),
        Thing::Other(name) => match name.split_once(' ') {
            Some((kind, name)) => format!("{kind} `{name}`"),
            None => format!("`{name}`"),
        },
        Thing::Named(name) => {
            let kind = before.relation_kind(name).or_else(|| after.relation_kind(name));
            let kind = kind.or_else(|| (before.has_type(name) || after.has_type(name)).then_some("type"));
            kind.map_or_else(|| format!("`{name}`"), |kind| format!("{kind} `{name}`"))
        }
    }
}

/// The names in its schema that a table takes besides its own.
fn names_of(table: &Table) -> impl Iterator<Item = QualifiedName> + '_ {
    let constraints = table.constraints.values().filter(|constraint| constraint.kind.has_index()).map(|constraint| &constraint.name);
    let sequences = table.columns.iter().filter_map(|column| column.identity.as_ref()).map(|identity| &identity.sequence);
    constraints.chain(table.indexes.keys()).chain(sequences).map(|name| table.name.sibling(name.clone()))
}

/// The types and tables that a table needs.
fn needs_of(table: &Table) -> impl Iterator<Item = QualifiedName> + '_ {
    let types = table.columns.iter().filter_map(|column| column.data_type.named());
    let targets = table.constraints.values().filter_map(|constraint| match &constraint.kind {
        ConstraintKind::ForeignKey(key) => Some(&key.references),
        _ => None,
    });
    types.chain(targets).cloned()
}

/// The names whose meaning isn't the same in both.
fn differing<'a, K: Ord, V: PartialEq>(before: &'a Map<K, V>, after: &'a Map<K, V>) -> impl Iterator<Item = &'a K> {
    let gone = before.keys().filter(|name| !after.contains_key(name));
    let other = after.iter().filter(|(name, value)| before.get(name) != Some(value)).map(|(name, _)| name);
    gone.chain(other)
}

#[cfg(all(test, feature = "parser"))]
mod tests {
    use super::*;
    use crate::replay;

    const BASE: &str = "create table a (id bigint primary key); create table b (id bigint primary key); create type mood as enum ('x');
        create view v as select id from b; create schema s";

    fn told(left: &str, right: &str) -> Vec<String> {
        let mut base = Schema::default();
        assert!(replay::replay(&mut replay::steps(BASE).unwrap_or_default(), &mut base, "base").is_empty());
        let footprint = |sql: &str| {
            let mut steps = replay::steps(sql).unwrap_or_default();
            let report = replay::replay(&mut steps, &mut base.clone(), "branch");
            assert!(report.is_empty(), "{:?}", report.problems);
            Footprint::of(&steps, &base)
        };
        let say = |clash: &Clash| match clash {
            Clash::Both { object, left, right } => format!("both {object} {left} {right}"),
            Clash::Needed { object, by_left, left, right } => {
                format!("{object} changed by {} {left} {right}", if *by_left { "left" } else { "right" })
            }
            Clash::Unknown { of_left, step } => format!("unknown {} {step}", if *of_left { "left" } else { "right" }),
        };
        footprint(left).clashes(&footprint(right)).iter().map(say).collect()
    }

    #[test]
    fn different_tables_commute() {
        for (left, right) in [
            ("alter table a add column x int", "alter table b add column x int"),
            ("create table c (id int, a bigint references a)", "create table d (id int, a bigint references a)"),
            ("create table c (m mood)", "create table d (m mood)"),
            ("update a set id = 1", "update b set id = 1"),
            ("create extension pgcrypto", "create table c (id int)"),
            ("", "create function f() returns int language sql as 'select 1'"),
            ("comment on table a is 'x'", "drop view v"),
        ] {
            assert_eq!(told(left, right), [""; 0], "{left} | {right}");
        }
    }

    #[test]
    fn the_same_thing_does_not() {
        for (left, right, expected) in [
            ("create schema x; alter table a add column x int", "create index on a (id)", "both table `a` 1 0"),
            ("create index on a (id)", "create table a_id_idx (id int)", "both index `a_id_idx` 0 0"),
            ("drop table a", "alter table b add column a bigint references a", "table `a` changed by left 0 0"),
            ("create table c (a bigint references a)", "alter table a rename to e", "table `a` changed by right 0 0"),
            ("drop view v", "create view w as select id from v", "view `v` changed by left 0 0"),
            ("alter type mood add value 'y'", "alter table a add column m mood", "type `mood` changed by left 0 0"),
            ("update a set id = 1", "alter table a add column x int", "both table `a` 0 0"),
            ("alter schema s rename to t; select 1", "create table s.t (id int)", "unknown left 0"),
            ("create table c (id int)", "create table c (id int)", "both table `c` 0 0"),
            ("create function f() returns int language sql as 'select 1'", "create table c (id int)", "unknown left 0"),
        ] {
            let told = told(left, right);
            assert!(told.iter().any(|told| told == expected), "{left} | {right}: {told:?}");
        }
    }

    #[test]
    fn what_needs_a_dropped_type_is_not_all_known() {
        assert_eq!(told("drop type mood", "create table c (id int)"), ["unknown left 0"]);
    }

    #[test]
    fn a_rust_step_commutes_with_nothing_but_nothing() {
        let run = Step::new(Action::Run { function: "f".into() }, 1);
        let unknown = Footprint::of([&run], &Schema::default());
        let table = Footprint::of(&replay::steps("create table a (id int)").unwrap(), &Schema::default());
        assert_eq!(table.clashes(&unknown), [Clash::Unknown { of_left: false, step: 0 }]);
        assert_eq!(unknown.clashes(&Footprint::default()), []);
        let assertion = |query: &str| Step::new(Action::Assert { message: "m".into(), query: query.into() }, 1);
        let reads = Footprint::of([&assertion("select count(*) = 0 from a")], &Schema::default());
        assert_eq!(reads.clashes(&reads), []);
        assert_eq!(table.clashes(&reads), [Clash::Needed { object: "table `a`".into(), by_left: true, left: 0, right: 0 }]);
        let blind = Footprint::of([&assertion("select true")], &Schema::default());
        assert_eq!(table.clashes(&blind), [Clash::Unknown { of_left: false, step: 0 }]);
    }
}
