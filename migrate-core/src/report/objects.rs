//! Messages on schemas, types, sequences and views.

use super::{Report, article, created, nearest_of};
use crate::name::{At, DEFAULT_SCHEMA, MAX_BYTES, Name, QualifiedName};
use crate::schema::{CompositeType, ObjectKey, Schema};

impl Report {
    /// Reports a schema that nobody created. The answer says whether it is known.
    pub fn needs_schema(&mut self, schema: &Schema, name: &Name) -> bool {
        let known = name.as_str() == DEFAULT_SCHEMA || schema.schemas.contains_key(name);
        if !known {
            self.unknown(schema, &ObjectKey::Schema(name.clone()), name.at);
        }
        known
    }

    /// Reports a new relation whose name is taken, or whose schema isn't there.
    pub fn relation_is_free(&mut self, schema: &Schema, key: &ObjectKey, name: &QualifiedName) {
        self.check_length([&name.name]);
        self.needs_schema(schema, &name.schema);
        match schema.relation_kind(name) {
            Some(kind) if kind == key.kind() => self.already_exists(schema, key, name.at()),
            Some(kind) => self.relation_exists(name, kind, name.at()),
            None => {}
        }
    }

    /// Reports a new type whose name is taken.
    pub fn type_is_free(&mut self, schema: &Schema, name: &QualifiedName) {
        match schema.relation_kind(name) {
            Some(kind @ ("table" | "view" | "materialized view" | "relation")) => {
                self.problem(name.at(), format!("`{name}` exists already, as {} {kind}", article(kind))).help =
                    Some("choose another name: every table and view has a type of its own name".to_owned());
            }
            _ if schema.has_type(name) => self.already_exists(schema, &ObjectKey::Type(name.clone()), name.at()),
            _ => {}
        }
    }

    /// Reports a type that nobody created, where a statement changes it. The answer says whether it is known.
    pub fn needs_type_name(&mut self, schema: &Schema, name: &QualifiedName) -> bool {
        let known = schema.has_type(name);
        if !known {
            self.unknown(schema, &ObjectKey::Type(name.clone()), name.at());
        }
        known
    }

    /// Reports what isn't an enum type. The answer says whether it is one.
    pub fn needs_enum(&mut self, schema: &Schema, name: &QualifiedName) -> bool {
        let known = schema.enums.contains_key(name);
        if !known && self.needs_type_name(schema, name) {
            self.problem(name.at(), format!("type `{name}` is not an enum"));
        }
        known
    }

    /// Reports what isn't a domain. The answer says whether the model has its definition.
    pub fn needs_domain(&mut self, schema: &Schema, name: &QualifiedName) -> bool {
        let known = schema.domains.contains_key(name);
        if !known && self.needs_type_name(schema, name) && !schema.is_known_by_name(&ObjectKey::Type(name.clone())) {
            self.problem(name.at(), format!("type `{name}` is not a domain"));
        }
        known
    }

    /// Reports what isn't a composite type. The answer says whether the model has its definition.
    pub fn needs_composite(&mut self, schema: &Schema, name: &QualifiedName) -> bool {
        let known = schema.composites.contains_key(name);
        if !known && self.needs_type_name(schema, name) && !schema.is_known_by_name(&ObjectKey::Type(name.clone())) {
            let problem = self.problem(name.at(), format!("type `{name}` is not a composite type"));
            problem.help = schema.tables.contains_key(name).then(|| format!("write `alter table {name}`: it is the row type of a table"));
        }
        known
    }

    /// The composite type has no such attribute.
    pub fn no_attribute(&mut self, name: &QualifiedName, composite: &CompositeType, attribute: &Name) {
        let known: Vec<_> = composite.attributes.iter().map(|attribute| attribute.name.as_str()).collect();
        let help = match nearest_of(attribute.as_str(), known.iter().copied()) {
            Some(nearest) => Some(format!("did you mean `{nearest}`?")),
            None => Some(known).filter(|known| !known.is_empty()).map(|known| {
                let list: Vec<_> = known.iter().map(|name| format!("`{name}`")).collect();
                format!("the attributes of `{name}` are {}", list.join(", "))
            }),
        };
        self.problem(attribute.at, format!("type `{name}` has no attribute `{attribute}`")).help = help;
    }

    /// The composite type has such an attribute already.
    pub fn attribute_exists(&mut self, name: &QualifiedName, attribute: &Name) {
        self.problem(attribute.at, format!("type `{name}` has an attribute `{attribute}` already"));
    }

    /// The domain has no such constraint.
    pub fn no_domain_constraint(&mut self, schema: &Schema, domain: &QualifiedName, name: &Name) {
        let checks = schema.domains.get(domain).into_iter().flat_map(|domain| domain.checks.keys());
        let nearest = nearest_of(name.as_str(), checks.map(Name::as_str)).map(|nearest| format!("did you mean `{nearest}`?"));
        self.problem(name.at, format!("domain `{domain}` has no constraint `{name}`")).help = nearest;
    }

    /// Reports a label that the enum doesn't have. The answer says whether it has it.
    pub fn needs_label(&mut self, schema: &Schema, name: &QualifiedName, label: &Name) -> bool {
        let labels = schema.enums.get(name).map(|enum_type| enum_type.labels.as_slice()).unwrap_or_default();
        let known = labels.iter().any(|known| *known == label.as_str());
        if !known {
            let nearest = nearest_of(label.as_str(), labels.iter().map(String::as_str)).map(str::to_owned);
            let problem = self.problem(label.at, format!("type `{name}` has no value `{label}`"));
            problem.help = nearest.map(|nearest| format!("did you mean `{nearest}`?"));
        }
        known
    }

    /// The enum has the label already.
    pub fn label_exists(&mut self, name: &QualifiedName, label: &Name) {
        self.problem(label.at, format!("type `{name}` has a value `{label}` already")).help =
            Some("leave it out, or choose another value".to_owned());
    }

    /// Reports a label that is longer than PostgreSQL accepts.
    pub fn check_label(&mut self, label: &Name) {
        let bytes = label.as_str().len();
        if bytes > MAX_BYTES {
            self.problem(label.at, format!("enum value of {bytes} bytes: PostgreSQL accepts {MAX_BYTES}")).help =
                Some("shorten it".to_owned());
        }
    }

    /// Reports a relation (table, view, …) that nobody created, unless it may well be one of an extension. The answer says
    /// whether it is known.
    pub fn needs_relation(&mut self, schema: &Schema, name: &QualifiedName) -> bool {
        if schema.relation_kind(name).is_some() || schema.temporary(name).is_some() {
            return true;
        }
        let view = ObjectKey::View(name.clone());
        let departed = schema.departure(&view).is_some();
        let relations = schema.tables.keys().chain(schema.views.keys()).chain(schema.others.keys()).map(ToString::to_string);
        let relations: Vec<_> = relations.collect();
        let nearest = nearest_of(&name.to_string(), relations.iter().map(String::as_str)).map(str::to_owned);
        if nearest.is_none() && !departed && schema.departure(&ObjectKey::Table(name.clone())).is_none() && brings_relations(schema) {
            return false;
        }
        let told = self.problems.len();
        self.unknown(schema, &if departed { view } else { ObjectKey::Table(name.clone()) }, name.at());
        if let (Some(nearest), Some(problem)) = (nearest, self.problems.get_mut(told).filter(|problem| problem.notes.is_empty())) {
            problem.help = Some(format!("did you mean `{nearest}`?"));
        }
        false
    }

    /// A statement of the author's that begins or ends a transaction.
    pub fn controls_transaction(&mut self, sql: &str, at: At) {
        let word = sql.split(|c: char| !c.is_alphabetic()).next().unwrap_or_default().to_lowercase();
        self.problem(at, format!("`{word}` has no place in a migration: its transactions are the engine's")).help =
            Some("delete the statement: every operation has a savepoint of its own already".to_owned());
    }

    /// A function that does nothing.
    pub fn lacks_body(&mut self, at: At) {
        self.problem(at, "the function has no body".to_owned()).help =
            Some("write what it does: `language plpgsql as $$ … $$`, or, of an SQL function, `return …`".to_owned());
    }

    /// A function of which nobody knows how to read it.
    pub fn lacks_language(&mut self, at: At) {
        self.problem(at, "the function doesn't say which language its body is in".to_owned()).help =
            Some("add `language sql`, `language plpgsql`, …".to_owned());
    }

    /// `alter function` that changes nothing.
    pub fn lacks_option(&mut self, at: At) {
        self.problem(at, "nothing is said of what to change".to_owned()).help =
            Some("add what the function shall be from now on: `security definer`, `stable`, `rename to …`, …".to_owned());
    }

    /// `set search_path`.
    pub fn moves_search_path(&mut self, at: At) {
        self.problem(at, "the search path of a migration is `public`").help =
            Some("write the schema before each name instead: `app.documents`".to_owned());
    }

    /// `copy … from stdin`.
    pub fn reads_input(&mut self, at: At) {
        self.problem(at, "`copy … from stdin` has no input in a migration").help =
            Some("write the rows as `insert`, or load them in a Rust function with `run`".to_owned());
    }

    /// Views depend on the object that is dropped without `cascade`.
    pub fn views_depend(&mut self, schema: &Schema, at: At, what: &str, views: &[QualifiedName]) {
        let Some((first, further)) = views.split_first() else { return };
        let created = |view: &QualifiedName| created(schema, &ObjectKey::View(view.clone()));
        let problem = self.problem(at, format!("view `{first}` depends on {what}"));
        problem.notes.extend(created(first).map(|created| format!("the view was {created}")));
        problem.notes.extend(further.iter().map(|view| {
            let created = created(view).map(|created| format!(", and was {created}")).unwrap_or_default();
            format!("view `{view}` depends on it, too{created}")
        }));
        problem.help = Some("drop the view first, or write `cascade` to drop it, too".to_owned());
    }

    /// Reports a sequence that nobody created. The answer says whether the model has its definition.
    pub fn needs_sequence(&mut self, schema: &Schema, name: &QualifiedName) -> bool {
        let known = schema.sequences.contains_key(name);
        if known {
            return true;
        }
        match schema.relation_kind(name) {
            Some("sequence") => {
                self.problem(name.at(), format!("sequence `{name}` belongs to an identity column")).help =
                    Some("change the column with `alter table … alter column`".to_owned());
            }
            Some("relation") => {}
            Some(kind) => {
                self.problem(name.at(), format!("`{name}` is {} {kind}, not a sequence", article(kind)));
            }
            None => self.unknown(schema, &ObjectKey::Sequence(name.clone()), name.at()),
        }
        known
    }

    /// Reports a policy that the table, which is known, doesn't have. The answer says whether the model has its definition.
    pub fn needs_policy(&mut self, schema: &Schema, table: &QualifiedName, name: &Name) -> bool {
        let known = schema.table(table).is_some_and(|table| table.policies.contains_key(name));
        if !known && !schema.has_unmodelled_policy(table, name) {
            self.unknown(schema, &ObjectKey::Policy(table.clone(), name.clone()), name.at);
        }
        known
    }

    /// Policies depend on what is changed.
    pub fn policies_depend(&mut self, at: At, what: &str, policies: &[(QualifiedName, Name)], help: &str) {
        let Some(((table, name), further)) = policies.split_first() else { return };
        let problem = self.problem(at, format!("policy `{name}` of table `{table}` depends on {what}"));
        problem.notes.extend(further.iter().map(|(table, name)| format!("policy `{name}` of table `{table}` depends on it, too")));
        problem.help = Some(help.to_owned());
    }

    /// Policies depend on the object that is dropped without `cascade`.
    pub fn needed_by_policies(&mut self, at: At, what: &str, policies: &[(QualifiedName, Name)]) {
        self.policies_depend(at, what, policies, "drop the policy first, or write `cascade` to drop it, too");
    }

    /// Reports a view that nobody created, or that is of the other kind. The answer says whether it is there.
    pub fn needs_view(&mut self, schema: &Schema, name: &QualifiedName, materialized: bool) -> bool {
        let wanted = if materialized { "materialized view" } else { "view" };
        match schema.relation_kind(name) {
            Some(kind) if kind == wanted => true,
            Some("relation") => false,
            Some(kind) => {
                let problem = self.problem(name.at(), format!("`{name}` is {} {kind}, not a {wanted}", article(kind)));
                problem.help = schema.views.contains_key(name).then(|| format!("write `{kind}`"));
                false
            }
            None => {
                self.unknown(schema, &ObjectKey::View(name.clone()), name.at());
                false
            }
        }
    }
}

/// Whether an extension is installed that may have brought tables and views.
fn brings_relations(schema: &Schema) -> bool {
    schema.extensions.keys().any(|name| WITHOUT_RELATIONS.binary_search(&name.as_str()).is_err())
}

/// Extensions that bring types, functions and operators, but no relations. Sorted.
const WITHOUT_RELATIONS: &[&str] = &[
    "btree_gin",
    "btree_gist",
    "citext",
    "cube",
    "fuzzystrmatch",
    "hstore",
    "intarray",
    "isn",
    "lo",
    "ltree",
    "pg_trgm",
    "pgcrypto",
    "plpgsql",
    "seg",
    "tablefunc",
    "unaccent",
    "uuid-ossp",
    "vector",
];
