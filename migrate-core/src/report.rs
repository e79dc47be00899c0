//! What is wrong with a migration: every message of the checks, by name.

mod columns;
mod constraints;
mod data;
mod family;
mod objects;
mod routines;
mod triggers;

use crate::name::{At, MAX_BYTES, Name, QualifiedName};
use crate::schema::{ObjectKey, Origin, OtherKind, Schema};

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The smallest wrong piece of the statement.
    pub at: (u32, u32),
    /// What is wrong: lower case, no final period, names in backticks.
    pub message: String,
    /// Where it came from, if anybody knows.
    pub notes: Vec<String>,
    /// What to do, as one imperative sentence.
    pub help: Option<String>,
}

impl Problem {
    /// The message, its notes and its help, a line each.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = self.message.clone();
        for note in &self.notes {
            text.push_str("\nnote: ");
            text.push_str(note);
        }
        if let Some(help) = &self.help {
            text.push_str("\nhelp: ");
            text.push_str(help);
        }
        text
    }
}

/// Collects problems. All of them are told at once.
#[derive(Debug, Default)]
pub struct Report {
    /// In the order in which they were found.
    pub problems: Vec<Problem>,
    /// What would be there if not for a mistake that was told already.
    forgiven: Vec<ObjectKey>,
}

impl Report {
    /// Whether nothing is wrong.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.problems.is_empty()
    }

    /// A problem with a message of its own.
    pub fn problem(&mut self, at: At, message: impl Into<String>) -> &mut Problem {
        self.problems.push(Problem { at: (at.start, at.end), message: message.into(), notes: Vec::new(), help: None });
        let last = self.problems.len() - 1;
        &mut self.problems[last]
    }

    /// Lets later statements name `key`, which only a mistake that was told already keeps from being there.
    pub fn forgive(&mut self, key: ObjectKey) {
        self.forgiven.push(key);
    }

    /// The object that a statement names isn't there. Says what it was called, or who dropped it.
    pub fn unknown(&mut self, schema: &Schema, key: &ObjectKey, at: At) {
        if self.forgiven.contains(key) {
            return;
        }
        let (what, place) = match key {
            ObjectKey::Column(table, column) => (format!("column `{column}`"), format!(" in table `{table}`")),
            ObjectKey::Trigger(relation, name) => (format!("trigger `{name}`"), format!(" on `{relation}`")),
            ObjectKey::Constraint(table, name) | ObjectKey::Policy(table, name) => {
                (format!("{} `{name}`", key.kind()), format!(" on table `{table}`"))
            }
            key => (format!("{} `{}`", key.kind(), key.name()), String::new()),
        };
        let departure = schema.departure(key).cloned();
        let nearest = nearest(schema, key);
        let problem = self.problem(at, format!("no {what}{place}"));
        match departure {
            Some(departure) => {
                let place = departure.origin.place().map(|place| format!(" by {place}")).unwrap_or_default();
                problem.notes.push(match &departure.renamed_to {
                    Some(name) => format!("renamed to `{name}`{place}"),
                    None => format!("dropped{place}"),
                });
                if let Some(name) = departure.renamed_to {
                    problem.help = Some(format!("write `{name}`"));
                }
            }
            None => {
                problem.help = nearest.map(|name| format!("did you mean `{name}`?")).or_else(|| without_nearest(schema, key));
            }
        }
    }

    /// The name is taken.
    pub fn already_exists(&mut self, schema: &Schema, key: &ObjectKey, at: At) {
        let created = created(schema, key);
        let place = match key {
            ObjectKey::Column(table, _) | ObjectKey::Constraint(table, _) | ObjectKey::Policy(table, _) => format!(" in table `{table}`"),
            ObjectKey::Trigger(relation, _) => format!(" on `{relation}`"),
            _ => String::new(),
        };
        let name = match key {
            ObjectKey::Column(_, name) | ObjectKey::Constraint(_, name) | ObjectKey::Policy(_, name) | ObjectKey::Trigger(_, name) => {
                name.to_string()
            }
            key => key.name(),
        };
        let problem = self.problem(at, format!("{} `{name}` exists already{place}", key.kind()));
        problem.notes.extend(created);
    }

    /// The name of a new relation is taken by a relation of another kind.
    pub fn relation_exists(&mut self, name: &QualifiedName, kind: &str, at: At) {
        self.problem(at, format!("`{name}` exists already, as {} {kind}", article(kind))).help =
            Some("choose another name: tables, views, indexes and sequences share one namespace".to_owned());
    }

    /// Reports a name that a new table can't have: relations share a namespace, and each table is a type, too.
    pub fn new_table_name(&mut self, schema: &Schema, name: &QualifiedName) {
        match schema.relation_kind(name) {
            Some("table") => self.already_exists(schema, &ObjectKey::Table(name.clone()), name.at()),
            Some(kind) => self.relation_exists(name, kind, name.at()),
            None if schema.has_type(name) => {
                self.problem(name.at(), format!("type `{name}` exists already")).help =
                    Some("choose another name: each table is a type of its name, too".to_owned());
            }
            None => {}
        }
    }

    /// The name is longer than PostgreSQL keeps.
    pub fn too_long(&mut self, name: &Name) {
        let bytes = name.written_bytes();
        let kept: String = truncate(name.as_str(), MAX_BYTES).to_owned();
        self.problem(name.at, format!("identifier of {bytes} bytes: PostgreSQL keeps {MAX_BYTES}")).help =
            Some(format!("shorten it: PostgreSQL would silently call it `{kept}`"));
    }

    /// Reports every name that PostgreSQL would cut.
    pub fn check_length<'a>(&mut self, names: impl IntoIterator<Item = &'a Name>) {
        for name in names {
            if name.written_bytes() > MAX_BYTES {
                self.too_long(name);
            }
        }
    }

    /// Reports `table` if it isn't known. The answer says whether it is.
    pub fn needs_table(&mut self, schema: &Schema, table: &QualifiedName) -> bool {
        if table.is_temporary() {
            return false;
        }
        let known = schema.tables.contains_key(table);
        let unmodelled = schema.others.get(table).is_some_and(|other| other.kind == OtherKind::Relation);
        if !known && !unmodelled {
            match schema.relation_kind(table) {
                Some(kind) => {
                    self.problem(table.at(), format!("`{table}` is {} {kind}, not a table", article(kind)));
                }
                None => self.unknown(schema, &ObjectKey::Table(table.clone()), table.at()),
            }
        }
        known
    }

    /// Reports `column` if `table` is known and has no such column.
    pub fn needs_column(&mut self, schema: &Schema, table: &QualifiedName, column: &Name) -> bool {
        let known = schema.column(table, column.as_str()).is_some();
        if !known && schema.tables.contains_key(table) {
            self.unknown(schema, &ObjectKey::Column(table.clone(), column.clone()), column.at);
        }
        known
    }

    /// Reports a column that `table`, as given, doesn't have.
    pub fn unknown_column_of(&mut self, schema: &Schema, table: &crate::schema::Table, column: &Name) {
        let known = table.columns.iter().map(|column| column.name.as_str());
        let nearest = nearest_of(column.as_str(), known).map(|name| format!("did you mean `{name}`?"));
        let told = self.problems.len();
        self.unknown(schema, &ObjectKey::Column(table.name.clone(), column.clone()), column.at);
        if let Some(problem) = self.problems.get_mut(told).filter(|problem| problem.help.is_none()) {
            problem.help = nearest;
        }
    }

    /// Reports a type that nobody created. Types of an extension have no definition in the model: with an extension
    /// installed, any unknown type may be one of its types.
    pub fn needs_type(&mut self, schema: &Schema, data_type: &crate::data_type::DataType) {
        let Some(name) = data_type.named() else { return };
        if schema.has_type(name) || !schema.extensions.is_empty() {
            return;
        }
        let at = data_type.written.as_ref().map(|name| name.at).unwrap_or_default();
        self.unknown(schema, &ObjectKey::Type(name.clone()), at);
    }
}

/// What to do about a name that is like none that is known.
fn without_nearest(schema: &Schema, key: &ObjectKey) -> Option<String> {
    let names_of = |what: &str, table: &QualifiedName, names: Vec<&Name>| {
        let list: Vec<String> = names.iter().take(LISTED).map(|name| format!("`{name}`")).collect();
        let more = if names.len() > LISTED { ", …" } else { "" };
        Some(format!("the {what} of `{table}` are {}{more}", list.join(", "))).filter(|_| !list.is_empty())
    };
    match key {
        ObjectKey::Table(_) => {
            Some("create it first, or declare it with `optional!` (only some deployments have it) or `external!` (all have it)".to_owned())
        }
        ObjectKey::Column(table, _) => names_of("columns", table, schema.tables.get(table)?.columns.iter().map(|it| &it.name).collect()),
        ObjectKey::Constraint(table, _) => names_of("constraints", table, schema.tables.get(table)?.constraints.keys().collect()),
        ObjectKey::Trigger(relation, _) => names_of("triggers", relation, schema.triggers_of(relation).map(|(name, _)| name).collect()),
        ObjectKey::Policy(table, _) => names_of("policies", table, schema.tables.get(table)?.policies.keys().collect()),
        ObjectKey::Type(_) => Some("create it first, with `create type` or `create domain`".to_owned()),
        ObjectKey::Schema(_)
        | ObjectKey::Extension(_)
        | ObjectKey::Index(_)
        | ObjectKey::Routine(_)
        | ObjectKey::Sequence(_)
        | ObjectKey::View(_) => None,
    }
}

/// How many names a message lists.
const LISTED: usize = 12;

/// Who created it: `` created by `m0001`, line 7 ``.
fn created(schema: &Schema, key: &ObjectKey) -> Option<String> {
    schema.origin_of(key).and_then(Origin::place).map(|place| format!("created by {place}"))
}

fn article(kind: &str) -> &'static str {
    if kind.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" }
}

/// `text` cut to `bytes` at a character boundary, as PostgreSQL cuts identifiers.
#[must_use]
pub fn truncate(text: &str, bytes: usize) -> &str {
    let end = (0..=bytes.min(text.len())).rev().find(|&i| text.is_char_boundary(i)).unwrap_or(0);
    &text[..end]
}

/// The known name that is most like the one that was written.
fn nearest(schema: &Schema, key: &ObjectKey) -> Option<String> {
    let relation_names = |names: Vec<&QualifiedName>| names.into_iter().map(ToString::to_string).collect::<Vec<_>>();
    let (written, known) = match key {
        ObjectKey::Schema(name) => (name.to_string(), schema.schemas.keys().map(ToString::to_string).collect()),
        ObjectKey::Extension(name) => (name.to_string(), schema.extensions.keys().map(ToString::to_string).collect()),
        ObjectKey::Table(name) => (name.to_string(), relation_names(schema.tables.keys().collect())),
        ObjectKey::Column(table, name) => {
            let columns = schema.tables.get(table).map(|table| table.columns.iter().map(|c| c.name.to_string()).collect());
            (name.to_string(), columns.unwrap_or_default())
        }
        ObjectKey::Constraint(table, name) => {
            let constraints = schema.tables.get(table).map(|table| table.constraints.keys().map(ToString::to_string).collect());
            (name.to_string(), constraints.unwrap_or_default())
        }
        ObjectKey::Policy(table, name) => {
            let policies = schema.tables.get(table).map(|table| table.policies.keys().map(ToString::to_string).collect());
            (name.to_string(), policies.unwrap_or_default())
        }
        ObjectKey::Index(name) => {
            let indexes = schema
                .tables
                .values()
                .flat_map(|table| table.indexes.keys().map(|index| table.name.sibling(index.clone()).to_string()).collect::<Vec<_>>());
            (name.to_string(), indexes.collect())
        }
        ObjectKey::Type(name) => {
            let others = schema.others.iter().filter(|(_, other)| other.kind == OtherKind::Type).map(|(name, _)| name);
            let named = schema.enums.keys().chain(schema.domains.keys()).chain(schema.composites.keys());
            (name.to_string(), relation_names(named.chain(others).collect()))
        }
        ObjectKey::Sequence(name) => (name.to_string(), relation_names(schema.sequences.keys().collect())),
        ObjectKey::View(name) => (name.to_string(), relation_names(schema.views.keys().collect())),
        ObjectKey::Routine(signature) => (signature.to_string(), schema.routines.keys().map(ToString::to_string).collect()),
        ObjectKey::Trigger(relation, name) => (name.to_string(), schema.triggers_of(relation).map(|(name, _)| name.to_string()).collect()),
    };
    nearest_of(&written, known.iter().map(String::as_str)).map(str::to_owned)
}

/// The candidate that a person most likely meant, if one is close enough.
pub fn nearest_of<'a>(written: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    known
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(written, candidate), candidate))
        .filter(|(distance, candidate)| *distance * 3 <= candidate.len().max(written.len()).max(3))
        .min()
        .map(|(_, candidate)| candidate)
}
