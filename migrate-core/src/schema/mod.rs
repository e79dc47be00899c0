//! The model of a database's schema: what the migrations so far have left.

mod access;
mod bound;
mod column;
mod constraint;
mod definition;
mod dependents;
mod family;
mod index;
mod lookup;
mod map;
mod objects;
mod operator_class;
mod parameters;
mod policy;
mod print;
mod references;
mod rename;
mod routine;
mod sequence_options;
mod table;
mod trigger;
mod types;
mod unmodelled;
mod walk;

pub use access::{ALL, Access, Observed, Privilege, all_privileges, denies, is_about_access, is_about_privilege};
pub(crate) use bound::{Bound, lists};
pub use column::{Column, DefaultNull, Generated, Identity, IdentityKind, SequenceOptions};
pub use constraint::{Constraint, ConstraintKind, Deferral, ForeignKey, Key, MatchType, ReferentialAction};
pub use definition::{Definition, Fact, ObjectKey, Value};
pub use index::{Index, IndexKey, IndexKeyKind};
pub(crate) use lookup::Tie;
pub use map::Map;
pub use objects::{AsWritten, EnumType, Extension, NamedSchema, OtherKind, OtherObject, Sequence, SqliteTrigger, View};
pub use parameters::Parameters;
pub use policy::{EVERYBODY, Policy, PolicyCommand, RowSecurity};
pub(crate) use policy::{conditions_sql, relations_read};
pub use references::UniqueKey;
pub use routine::{
    Argument, ArgumentMode, LISTS, Parallel, Returns, Routine, RoutineAttributes, RoutineBody, RoutineKind, Signature, Volatility,
    read_setting, setting_sql,
};
pub use sequence_options::{SequenceAttributes, default_limits};
pub use table::{Partition, Presence, Table};
pub use trigger::{ConstraintTrigger, Trigger, TriggerEvent, TriggerState, TriggerTiming};
pub use types::{Attribute, CompositeType, Domain, DomainCheck, TypeUser};
pub use unmodelled::Unmodelled;

use crate::name::{DEFAULT_SCHEMA, Name, QualifiedName, TEMPORARY_SCHEMA};
use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Which migration did something, and where: told in messages, never compared.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Origin {
    /// The migration's name, e.g. `m0003_prune`; empty for what was read from a catalog.
    pub migration: String,
    /// The file that it includes and that the line is in, if that isn't its own.
    #[serde(default)]
    pub file: Option<String>,
    /// Line in that file, from 1.
    pub line: u32,
}

impl Origin {
    /// `` `m0003_prune`, line 7 ``; `None` for what was read from a catalog.
    #[must_use]
    pub fn place(&self) -> Option<String> {
        let file = self.file.as_deref().and_then(|file| file.rsplit(['/', '\\']).next());
        let file = file.map(|file| format!(" of `{file}`")).unwrap_or_default();
        Some(format!("`{}`, line {}{file}", self.migration, self.line)).filter(|_| !self.migration.is_empty())
    }
}

impl PartialEq for Origin {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}
impl Eq for Origin {}

/// Who created what: only for messages, so it makes no difference between schemas.
#[derive(Clone, Debug, Default)]
pub struct Arrivals(Map<ObjectKey, Origin>);

impl PartialEq for Arrivals {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}
impl Eq for Arrivals {}

/// The temporary relations that a migration of this session may still have: gone with the session, so they are no part of
/// the schema.
#[derive(Clone, Debug, Default)]
pub struct Temporaries(BTreeSet<Name>);

impl PartialEq for Temporaries {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}
impl Eq for Temporaries {}

/// What became of an object that is no longer there under its name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Departure {
    /// The new name, if it was renamed; `None` if it was dropped.
    pub renamed_to: Option<String>,
    /// Who did it.
    pub origin: Origin,
}

/// The schema of one database, as a value.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Schema {
    /// Schemas (namespaces) other than the default one.
    pub schemas: Map<Name, NamedSchema>,
    /// Installed extensions.
    pub extensions: Map<Name, Extension>,
    /// Tables with their columns, constraints and indexes.
    #[serde(with = "by_key")]
    pub tables: Map<QualifiedName, Table>,
    /// Enum types.
    #[serde(with = "by_key")]
    pub enums: Map<QualifiedName, EnumType>,
    /// Domains.
    #[serde(with = "by_key")]
    pub domains: Map<QualifiedName, Domain>,
    /// Composite types that are not the row type of a relation.
    #[serde(with = "by_key")]
    pub composites: Map<QualifiedName, CompositeType>,
    /// Sequences that are not part of an identity column.
    #[serde(with = "by_key")]
    pub sequences: Map<QualifiedName, Sequence>,
    /// Views, materialised ones too.
    #[serde(with = "by_key")]
    pub views: Map<QualifiedName, View>,
    /// What has a name that others may refer to, but no definition in the model: range types, foreign tables, …
    #[serde(with = "by_key")]
    pub others: Map<QualifiedName, OtherObject>,
    /// Functions and procedures.
    #[serde(with = "by_key", skip_serializing_if = "Map::is_empty")]
    pub routines: Map<Signature, Routine>,
    /// The names of functions that the model has no definition of: aggregates, and functions with what it can't say.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub other_routines: BTreeSet<QualifiedName>,
    /// Triggers of tables, views and other relations, by their relation and their name.
    #[serde(with = "by_key", skip_serializing_if = "Map::is_empty")]
    pub triggers: Map<QualifiedName, BTreeMap<Name, Trigger>>,
    /// Triggers by name, as read from a live SQLite database: the model doesn't know them, a rebuild has to keep them.
    #[serde(skip)]
    pub sqlite_triggers: BTreeMap<Name, SqliteTrigger>,
    /// Who may do what in the schema that every database has.
    #[serde(skip_serializing_if = "Access::is_empty")]
    pub default_access: Access,
    /// The access that a live database was found with.
    #[serde(skip)]
    pub observed: Observed,
    /// Comments on what the model has no definition of, by what stands between `on` and `is`.
    pub comments: Map<String, String>,
    /// What was dropped or renamed, and by whom, numbered as it went: only for messages.
    #[serde(skip)]
    pub departed: Map<usize, (ObjectKey, Departure)>,
    /// Temporary relations.
    #[serde(skip)]
    pub temporaries: Temporaries,
    /// What has come since the tables, types, … that know their own origin.
    #[serde(skip)]
    pub arrived: Arrivals,
    /// Who has to do with which name.
    #[serde(skip)]
    pub lookup: lookup::Lookup,
}

impl Schema {
    /// The table of this name.
    #[must_use]
    pub fn table(&self, name: &QualifiedName) -> Option<&Table> {
        self.tables.get(name)
    }

    /// The column of that table.
    #[must_use]
    pub fn column(&self, table: &QualifiedName, column: &str) -> Option<&Column> {
        self.tables.get(table)?.column(column)
    }

    /// The table that owns the index of this name. Indexes share their table's schema.
    #[must_use]
    pub fn table_of_index(&self, index: &QualifiedName) -> Option<&Table> {
        self.tables_that(&Tie::Part(index.clone())).find(|table| table.indexes.contains_key(index.name.as_str()))
    }

    /// The index of this name with the table or materialized view that it is on. The index behind a constraint is none.
    #[must_use]
    pub fn index(&self, name: &QualifiedName) -> Option<(&QualifiedName, &Index)> {
        let part = Tie::Part(name.clone());
        let tables = self.tables_that(&part).map(|table| (&table.name, &table.indexes));
        let views = self.views_that(&part).map(|(name, view)| (name, &view.indexes));
        tables.chain(views).find_map(|(relation, indexes)| Some((relation, indexes.get(name.name.as_str())?)))
    }

    /// The indexes of a table or a materialized view, to change them.
    pub fn indexes_mut(&mut self, relation: &QualifiedName) -> Option<&mut IndexMap<Name, Index>> {
        if let Some(table) = self.tables.get_mut(relation) {
            return Some(&mut table.indexes);
        }
        self.views.get_mut(relation).filter(|view| view.materialized).map(|view| &mut view.indexes)
    }

    /// Forgets the indexes of a relation that the model knew by name only.
    pub fn forget_indexes_of(&mut self, relation: &QualifiedName) {
        self.others.retain(|_, other| other.of.as_ref() != Some(relation));
    }

    /// What kind of relation has this name already: tables, views, sequences, indexes and the indexes behind
    /// constraints share one namespace.
    #[must_use]
    pub fn relation_kind(&self, name: &QualifiedName) -> Option<&'static str> {
        if self.tables.contains_key(name) {
            return Some("table");
        }
        if let Some(view) = self.views.get(name) {
            return Some(if view.materialized { "materialized view" } else { "view" });
        }
        if self.sequences.contains_key(name) {
            return Some("sequence");
        }
        if self.others.get(name).is_some_and(|other| other.kind == OtherKind::Relation) {
            return Some("relation");
        }
        if self.index(name).is_some() {
            return Some("index");
        }
        for table in self.tables_that(&Tie::Part(name.clone())) {
            if table.constraints.get(name.name.as_str()).is_some_and(|constraint| constraint.kind.has_index()) {
                return Some("index");
            }
            if table.columns.iter().any(|column| column.identity.as_ref().is_some_and(|i| i.sequence == name.name)) {
                return Some("sequence");
            }
        }
        None
    }

    /// The columns of a table or a view, in their order; `None` where the model doesn't know them all.
    #[must_use]
    pub fn columns_of_relation(&self, relation: &QualifiedName) -> Option<Vec<Name>> {
        if let Some(view) = self.views.get(relation) {
            return view.output.clone().filter(|columns| !columns.is_empty());
        }
        let table = self.tables.get(relation)?;
        let from_elsewhere = table.options.contains("inherits") || (table.columns.is_empty() && !table.options.is_empty());
        (!from_elsewhere).then(|| table.columns.iter().map(|column| column.name.clone()).collect())
    }

    /// Notes a temporary relation.
    pub fn add_temporary(&mut self, name: &Name) {
        self.temporaries.0.insert(name.clone());
    }

    /// Forgets a temporary relation.
    pub fn remove_temporary(&mut self, name: &Name) {
        self.temporaries.0.remove(name);
    }

    /// The name under which the model knows the temporary relation that `name` means in this session.
    #[must_use]
    pub fn temporary(&self, name: &QualifiedName) -> Option<QualifiedName> {
        let temporary = QualifiedName::new(TEMPORARY_SCHEMA, name.name.clone());
        let is_known = name.schema.as_str() == DEFAULT_SCHEMA && self.temporaries.0.contains(&name.name);
        // what a migration of another session left behind is gone
        (is_known && self.relation_kind(name).is_none()).then_some(temporary)
    }

    /// Whether a type of this name is known: enum, domain, composite or other type, or the row type of a table or view.
    #[must_use]
    pub fn has_type(&self, name: &QualifiedName) -> bool {
        self.enums.contains_key(name)
            || self.domains.contains_key(name)
            || self.composites.contains_key(name)
            || self.others.get(name).is_some_and(|other| other.kind == OtherKind::Type)
            || self.tables.contains_key(name)
            || self.views.contains_key(name)
    }

    /// Whether the model has the name of the object, and nothing else: a range type, a foreign table, a policy for whoever
    /// created it, …
    #[must_use]
    pub fn is_known_by_name(&self, key: &ObjectKey) -> bool {
        let (name, kind) = match key {
            ObjectKey::Table(name) | ObjectKey::Sequence(name) | ObjectKey::View(name) => (name, OtherKind::Relation),
            ObjectKey::Type(name) => (name, OtherKind::Type),
            ObjectKey::Policy(table, name) => return self.has_unmodelled_policy(table, name),
            _ => return false,
        };
        self.others.get(name).is_some_and(|other| other.kind == kind)
    }

    /// What became of `key`, if it was there once.
    #[must_use]
    pub fn departure(&self, key: &ObjectKey) -> Option<&Departure> {
        self.departed.values().rev().find(|(departed, _)| departed == key).map(|(_, departure)| departure)
    }

    /// What a table was called before it was renamed in its schema, the first name first.
    #[must_use]
    pub fn former_names(&self, table: &ObjectKey) -> Vec<&ObjectKey> {
        let ObjectKey::Table(name) = table else { return Vec::new() };
        let renamed = |(key, departure): &&(ObjectKey, Departure)| {
            matches!(key, ObjectKey::Table(former) if former.schema == name.schema)
                && departure.renamed_to.as_deref() == Some(name.name.as_str())
        };
        self.departed.values().filter(renamed).map(|(key, _)| key).collect()
    }

    /// Notes that `key` was dropped, or renamed.
    pub fn record_departure(&mut self, key: ObjectKey, renamed_to: Option<String>, origin: &Origin) {
        self.departed.insert(self.departed.len(), (key, Departure { renamed_to, origin: origin.clone() }));
    }

    /// Notes who created `key`.
    pub fn record_arrival(&mut self, key: ObjectKey, origin: &Origin) {
        self.arrived.0.insert(key, origin.clone());
    }

    /// Who created an object that is there. What came with its table is the table's.
    #[must_use]
    pub fn origin_of(&self, key: &ObjectKey) -> Option<&Origin> {
        let other = |name| self.others.get(name).map(|other| &other.origin);
        self.arrived.0.get(key).or_else(|| match key {
            ObjectKey::Table(name) => self.tables.get(name).map(|table| &table.origin).or_else(|| other(name)),
            ObjectKey::Column(table, _) | ObjectKey::Constraint(table, _) | ObjectKey::Policy(table, _) => {
                self.tables.get(table).map(|table| &table.origin)
            }
            ObjectKey::Index(name) => {
                let table = self.table_of_index(name).or_else(|| self.table_of_constraint_index(name));
                table.map(|table| &table.origin)
            }
            ObjectKey::Type(name) => {
                let of_enum = self.enums.get(name).map(|object| &object.origin);
                let of_domain = || self.domains.get(name).map(|object| &object.origin);
                let of_composite = || self.composites.get(name).map(|object| &object.origin);
                of_enum.or_else(of_domain).or_else(of_composite).or_else(|| other(name))
            }
            ObjectKey::Sequence(name) => self.sequences.get(name).map(|object| &object.origin),
            ObjectKey::View(name) => self.views.get(name).map(|object| &object.origin),
            ObjectKey::Trigger(relation, name) => self.trigger(relation, name).map(|object| &object.origin),
            ObjectKey::Routine(signature) => self.routines.get(signature).map(|object| &object.origin),
            ObjectKey::Schema(_) | ObjectKey::Extension(_) => None,
        })
    }

    /// The definition of an object, as a value that can be compared; `None` if it isn't there.
    #[must_use]
    pub fn definition(&self, key: &ObjectKey) -> Option<Definition> {
        Definition::of(self, key)
    }
}

/// Maps keyed by a qualified name or a signature, as an array of pairs: JSON has no composite keys.
mod by_key {
    use super::Map;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub fn serialize<K: Serialize, V: Serialize, S: Serializer>(map: &Map<K, V>, s: S) -> Result<S::Ok, S::Error> {
        s.collect_seq(map.iter())
    }

    pub fn deserialize<'de, K: Deserialize<'de> + Ord + Clone, V: Deserialize<'de> + Clone, D: Deserializer<'de>>(
        d: D,
    ) -> Result<Map<K, V>, D::Error> {
        Ok(Vec::<(K, V)>::deserialize(d)?.into_iter().collect())
    }
}
