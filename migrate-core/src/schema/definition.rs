//! Objects by name, and their definitions as facts that can be compared with those of a live database.

use super::access::{ALL, Access, GRANTED, NOT_GRANTED, OWNER};
use super::operator_class::significant;
use super::{
    Column, CompositeType, Constraint, ConstraintKind, Domain, EnumType, ForeignKey, Index, IndexKeyKind, Key, Parallel, Policy, Routine,
    RoutineBody, Schema, Sequence, SequenceOptions, Signature, Table, Trigger, TriggerState, View, Volatility,
};
use crate::expression::{Expression, Sameness};
use crate::name::{DEFAULT_SCHEMA, Name, QualifiedName, quoted_list};
use serde::{Deserialize, Serialize};
use std::fmt;

/// What an operation works on, by name.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum ObjectKey {
    /// A schema (namespace).
    Schema(Name),
    /// An extension.
    Extension(Name),
    /// A table.
    Table(QualifiedName),
    /// A column of a table.
    Column(QualifiedName, Name),
    /// A constraint of a table.
    Constraint(QualifiedName, Name),
    /// A policy of a table.
    Policy(QualifiedName, Name),
    /// An index, in its table's schema.
    Index(QualifiedName),
    /// A type: an enum, a domain or a composite type.
    Type(QualifiedName),
    /// A sequence.
    Sequence(QualifiedName),
    /// A view, materialised or not.
    View(QualifiedName),
    /// A function or procedure.
    Routine(Signature),
    /// A trigger of a table or another relation.
    Trigger(QualifiedName, Name),
}

impl ObjectKey {
    /// What PostgreSQL calls an object of this kind.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Schema(_) => "schema",
            Self::Extension(_) => "extension",
            Self::Table(_) => "table",
            Self::Column(..) => "column",
            Self::Constraint(..) => "constraint",
            Self::Policy(..) => "policy",
            Self::Index(_) => "index",
            Self::Type(_) => "type",
            Self::Sequence(_) => "sequence",
            Self::View(_) => "view",
            Self::Routine(_) => "routine",
            Self::Trigger(..) => "trigger",
        }
    }

    /// The table that it belongs to, if it is a table or part of one. An index doesn't name its table.
    #[must_use]
    pub fn table(&self) -> Option<&QualifiedName> {
        match self {
            Self::Table(table) | Self::Column(table, _) | Self::Constraint(table, _) | Self::Policy(table, _) | Self::Trigger(table, _) => {
                Some(table)
            }
            _ => None,
        }
    }

    /// The name alone: `documents`, `documents.title`, `documents_pkey`.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Schema(name) | Self::Extension(name) => name.to_string(),
            Self::Table(name) | Self::Index(name) | Self::Type(name) | Self::Sequence(name) | Self::View(name) => name.to_string(),
            Self::Column(table, column) => format!("{table}.{column}"),
            Self::Routine(signature) => signature.to_string(),
            Self::Constraint(table, name) | Self::Policy(table, name) | Self::Trigger(table, name) => format!("{name} of {table}"),
        }
    }
}

/// `table documents`, `column documents.title`.
impl fmt::Display for ObjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind(), self.name())
    }
}

/// Whether a column is `not null`: `yes`, `no`, or for new rows only.
const NOT_NULL: &str = "not null";
const NOT_VALIDATED: &str = "not validated";

/// One thing that is true of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact {
    /// What it is about: `type`, `default`, `column title: type`.
    pub aspect: String,
    /// Its value.
    pub value: Value,
}

/// The value of a fact.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// Compared as text.
    Text(String),
    /// Compared by meaning, as far as text allows.
    Expression(Expression),
}

impl Value {
    /// Whether two values mean the same.
    #[must_use]
    pub fn compare(&self, other: &Self) -> Sameness {
        match (self, other) {
            (Self::Expression(left), Self::Expression(right)) => left.compare(right),
            (Self::Text(left), Self::Text(right)) if left == right => Sameness::Equal,
            // a key of an index that is a column on one side: `date(at)` is no more than `at` once that is a date
            (Self::Expression(one), Self::Text(other)) | (Self::Text(other), Self::Expression(one)) => {
                if *one == Expression::new(other) {
                    Sameness::Equal
                } else {
                    Sameness::Unknown
                }
            }
            _ => Sameness::Different,
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::Expression(expression) => f.write_str(expression.sql()),
        }
    }
}

/// The definition of one object: its facts, in a fixed order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Definition {
    /// What is true of it. An aspect that is absent (no default, no comment) has no fact.
    pub facts: Vec<Fact>,
}

impl Definition {
    /// Whether each fact of the two is as one of them has it, as far as can be told.
    #[must_use]
    pub fn is_between(&self, before: &Self, after: &Self) -> bool {
        let may_be = |value: Option<&Value>, other: Option<&Value>| match (value, other) {
            (Some(value), Some(other)) => value.compare(other) != Sameness::Different,
            (value, other) => value.is_none() == other.is_none(),
        };
        let mut aspects = before.facts.iter().chain(&after.facts).map(|fact| fact.aspect.as_str());
        aspects.all(|aspect| may_be(self.get(aspect), before.get(aspect)) || may_be(self.get(aspect), after.get(aspect)))
    }

    /// The same, where a `not null` that nobody has validated counts as it was in `before`, where that says something of it:
    /// whoever sets `not null` has it validated, and whoever drops it has it dropped.
    #[must_use]
    pub fn with_settled_not_null(mut self, before: &Self) -> Self {
        let was = before.get(NOT_NULL).cloned();
        for fact in self.facts.iter_mut().filter(|fact| fact.aspect == NOT_NULL && fact.value == Value::Text(NOT_VALIDATED.to_owned())) {
            fact.value = was.clone().unwrap_or_else(|| fact.value.clone());
        }
        self
    }

    /// The definition of `key` in `schema`.
    #[must_use]
    pub fn of(schema: &Schema, key: &ObjectKey) -> Option<Self> {
        let mut facts = Facts::default();
        if schema.is_known_by_name(key) {
            return Some(Self::default());
        }
        match key {
            ObjectKey::Schema(name) if name.as_str() == DEFAULT_SCHEMA => {}
            ObjectKey::Schema(name) => facts.comment(schema.schemas.get(name)?.comment.as_ref()),
            ObjectKey::Extension(name) => {
                schema.extensions.get(name)?;
            }
            ObjectKey::Table(name) => facts.table(schema.tables.get(name)?),
            ObjectKey::Column(table, column) => facts.column(schema.column(table, column.as_str())?, ""),
            ObjectKey::Constraint(table, name) => facts.constraint(schema.tables.get(table)?.constraints.get(name)?, ""),
            ObjectKey::Index(name) => {
                if let Some((relation, index)) = schema.index(name) {
                    facts.text("table", relation.to_string());
                    facts.index(schema.table(relation), index);
                } else {
                    facts.text("table", schema.table_of_constraint_index(name)?.name.to_string());
                    facts.text("constraint", name.name.to_string());
                }
            }
            ObjectKey::Type(name) => {
                if let Some(domain) = schema.domains.get(name) {
                    facts.domain(domain);
                } else if let Some(composite) = schema.composites.get(name) {
                    facts.composite(composite);
                } else {
                    facts.enum_type(schema.enums.get(name)?);
                }
            }
            ObjectKey::Sequence(name) => facts.sequence(schema.sequences.get(name)?),
            ObjectKey::View(name) => facts.view(schema.views.get(name)?),
            ObjectKey::Routine(signature) => facts.routine(schema.routines.get(signature)?),
            ObjectKey::Trigger(relation, name) => facts.trigger(schema.trigger(relation, name)?),
            ObjectKey::Policy(table, name) => facts.policy(schema.tables.get(table)?.policies.get(name)?),
        }
        if let Some(access) = schema.access(key) {
            facts.access(access);
        }
        Some(Self { facts: facts.0 })
    }

    /// The value of an aspect.
    #[must_use]
    pub fn get(&self, aspect: &str) -> Option<&Value> {
        self.facts.iter().find(|fact| fact.aspect == aspect).map(|fact| &fact.value)
    }
}

#[derive(Default)]
struct Facts(Vec<Fact>);

impl Facts {
    fn text(&mut self, aspect: impl Into<String>, value: impl Into<String>) {
        self.0.push(Fact { aspect: aspect.into(), value: Value::Text(value.into()) });
    }

    fn expression(&mut self, aspect: impl Into<String>, value: &Expression) {
        self.0.push(Fact { aspect: aspect.into(), value: Value::Expression(value.clone()) });
    }

    fn flag(&mut self, aspect: impl Into<String>, value: bool) {
        if value {
            self.text(aspect, "yes");
        }
    }

    fn comment(&mut self, comment: Option<&String>) {
        if let Some(comment) = comment {
            self.text("comment", comment);
        }
    }

    fn access(&mut self, access: &Access) {
        if let Some(owner) = &access.owner {
            self.text(OWNER, owner.quoted());
        }
        // no database lists `all`: it lists what that stands for
        for (privilege, granted) in access.privileges.iter().filter(|(privilege, _)| privilege.action != ALL) {
            self.text(privilege.aspect(), if *granted { GRANTED } else { NOT_GRANTED });
        }
    }

    fn table(&mut self, table: &Table) {
        self.flag("unlogged", table.unlogged);
        if let Some(partitioning) = &table.partition_by {
            self.expression("partitioning", partitioning);
        }
        if let Some(partition) = &table.partition {
            self.text("partition of", partition.of.to_string());
            self.expression("bound", &partition.bound);
        }
        if !table.inherits.is_empty() {
            self.text("inherits", table.inherits.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "));
        }
        for (parameter, value) in table.storage.iter() {
            self.text(format!("parameter {parameter}"), value);
        }
        if let Some(method) = &table.access_method {
            self.text("access method", method.to_string());
        }
        if let Some(tablespace) = &table.tablespace {
            self.text("tablespace", tablespace.to_string());
        }
        let mut columns: Vec<_> = table.columns.iter().collect();
        columns.sort_by(|a, b| a.name.cmp(&b.name));
        for column in columns {
            self.column(column, &format!("column {}: ", column.name));
        }
        let mut constraints: Vec<_> = table.constraints.values().collect();
        constraints.sort_by(|a, b| a.name.cmp(&b.name));
        for constraint in constraints {
            self.constraint(constraint, &format!("constraint {}: ", constraint.name));
        }
        self.flag("row level security", table.row_security.enabled);
        self.flag("forced row level security", table.row_security.forced);
        self.comment(table.comment.as_ref());
    }

    fn policy(&mut self, policy: &Policy) {
        self.text("kind", if policy.permissive { "permissive" } else { "restrictive" });
        self.text("command", policy.command.sql());
        let mut roles: Vec<_> = policy.roles.iter().collect();
        roles.sort();
        self.text("roles", quoted_list(roles));
        if let Some(using) = &policy.using {
            self.expression("using", using);
        }
        if let Some(check) = &policy.check {
            self.expression("with check", check);
        }
        self.comment(policy.comment.as_ref());
    }

    fn column(&mut self, column: &Column, prefix: &str) {
        self.text(format!("{prefix}type"), column.data_type.sql());
        let not_null = match (column.not_null, column.not_null_unvalidated()) {
            (true, _) => "yes",
            (false, Some(_)) => NOT_VALIDATED,
            (false, None) => "no",
        };
        self.text(format!("{prefix}{NOT_NULL}"), not_null);
        if let Some(default) = &column.default {
            self.expression(format!("{prefix}default"), default);
        }
        if let Some(identity) = &column.identity {
            self.text(format!("{prefix}identity"), identity.kind.to_string());
            // its sequence is of the column's type, whatever else it says
            let options = SequenceOptions { data_type: Some(column.data_type.sql()), ..identity.options.clone() };
            let options = SequenceOptions { data_type: None, ..options.without_defaults() };
            self.sequence_options(&options, &format!("{prefix}identity "));
        }
        if let Some(generated) = &column.generated {
            self.expression(format!("{prefix}generated"), &generated.expression);
            self.flag(format!("{prefix}stored"), generated.stored);
        }
        self.flag(format!("{prefix}inherited only"), !column.local);
        if let Some(collation) = column.collation.as_ref().filter(|collation| *collation != "default") {
            self.text(format!("{prefix}collation"), collation);
        }
        if let Some(comment) = &column.comment {
            self.text(format!("{prefix}comment"), comment);
        }
    }

    fn constraint(&mut self, constraint: &Constraint, prefix: &str) {
        match &constraint.kind {
            ConstraintKind::PrimaryKey(key) => self.key(key, "primary key", prefix),
            ConstraintKind::Unique(key) => self.key(key, "unique", prefix),
            ConstraintKind::ForeignKey(key) => self.foreign_key(key, prefix),
            ConstraintKind::Check { expression, no_inherit } => {
                self.expression(format!("{prefix}check"), expression);
                self.flag(format!("{prefix}no inherit"), *no_inherit);
            }
            ConstraintKind::Exclude { definition } => self.expression(format!("{prefix}exclude"), definition),
        }
        if let Some(parent) = &constraint.parent {
            self.text(format!("{prefix}parent"), parent.to_string());
        }
        self.flag(format!("{prefix}inherited only"), !constraint.local && constraint.parent.is_none());
        self.text(format!("{prefix}deferral"), constraint.deferral.to_string());
        self.text(format!("{prefix}validated"), if constraint.validated { "yes" } else { "no" });
        if let Some(comment) = &constraint.comment {
            self.text(format!("{prefix}comment"), comment);
        }
    }

    fn key(&mut self, key: &Key, kind: &str, prefix: &str) {
        self.text(format!("{prefix}{kind}"), quoted_list(&key.columns));
        if !key.include.is_empty() {
            self.text(format!("{prefix}include"), quoted_list(&key.include));
        }
        self.flag(format!("{prefix}nulls not distinct"), key.nulls_not_distinct);
    }

    fn foreign_key(&mut self, key: &ForeignKey, prefix: &str) {
        let target = format!("{} ({})", key.references, quoted_list(&key.referenced_columns));
        self.text(format!("{prefix}foreign key"), quoted_list(&key.columns));
        self.text(format!("{prefix}references"), target);
        self.text(format!("{prefix}on delete"), key.on_delete.sql());
        if !key.on_delete_columns.is_empty() {
            self.text(format!("{prefix}on delete columns"), quoted_list(&key.on_delete_columns));
        }
        self.text(format!("{prefix}on update"), key.on_update.sql());
        self.text(format!("{prefix}match"), key.match_type.to_string());
    }

    fn index(&mut self, table: Option<&Table>, index: &Index) {
        self.flag("unique", index.unique);
        self.text("method", &index.method);
        self.text("keys", index.keys.len().to_string());
        for (number, key) in index.keys.iter().enumerate() {
            let aspect = format!("key {}", number + 1);
            match &key.kind {
                IndexKeyKind::Column(name) => self.text(&aspect, name.quoted()),
                IndexKeyKind::Expression(expression) => self.expression(&aspect, expression),
            }
            // the catalog doesn't tell a column's own collation from none
            let own = match &key.kind {
                IndexKeyKind::Column(name) => {
                    table.and_then(|table| table.column(name.as_str())).map(|column| column.collation.as_deref().unwrap_or("default"))
                }
                IndexKeyKind::Expression(_) => None,
            };
            if let Some(collation) = key.collation.as_deref().filter(|collation| Some(*collation) != own) {
                self.text(format!("{aspect} collation"), collation);
            }
            if let Some(class) = key.operator_class.as_ref().and_then(|class| significant(&index.method, class)) {
                self.text(format!("{aspect} operator class"), class);
            }
            self.flag(format!("{aspect} descending"), key.descending);
            self.flag(format!("{aspect} nulls first"), key.nulls_first);
        }
        if !index.include.is_empty() {
            self.text("include", quoted_list(&index.include));
        }
        self.flag("nulls not distinct", index.nulls_not_distinct);
        if let Some(parent) = &index.parent {
            self.text("parent", parent.to_string());
        }
        if let Some(predicate) = &index.predicate {
            self.expression("where", predicate);
        }
        if !index.valid {
            self.text("valid", "no");
        }
        self.comment(index.comment.as_ref());
    }

    /// A label with its neighbour: where a later one was added by hand, the earlier ones are still the same.
    fn enum_type(&mut self, enum_type: &EnumType) {
        self.text("kind", "enum");
        let mut place = "first".to_owned();
        for label in &enum_type.labels {
            let label = crate::name::quote_literal(label);
            let next = format!("after {label}");
            self.text(format!("value {label}"), std::mem::replace(&mut place, next));
        }
        self.comment(enum_type.comment.as_ref());
    }

    fn domain(&mut self, domain: &Domain) {
        self.text("kind", "domain");
        self.text("type", domain.base.sql());
        if let Some(collation) = &domain.collation {
            self.text("collation", collation);
        }
        if let Some(default) = &domain.default {
            self.expression("default", default);
        }
        self.text("not null", if domain.not_null { "yes" } else { "no" });
        for (name, check) in &domain.checks {
            self.expression(format!("constraint {name}: check"), &check.expression);
            self.text(format!("constraint {name}: validated"), if check.validated { "yes" } else { "no" });
        }
        self.comment(domain.comment.as_ref());
    }

    fn composite(&mut self, composite: &CompositeType) {
        self.text("kind", "composite");
        for attribute in &composite.attributes {
            self.text(format!("attribute {}: type", attribute.name), attribute.data_type.sql());
            if let Some(collation) = &attribute.collation {
                self.text(format!("attribute {}: collation", attribute.name), collation);
            }
        }
        self.comment(composite.comment.as_ref());
    }

    fn sequence(&mut self, sequence: &Sequence) {
        self.sequence_options(&sequence.options.without_defaults(), "");
        if let Some((table, column)) = &sequence.owned_by {
            self.text("owned by", format!("{table}.{column}"));
        }
        self.comment(sequence.comment.as_ref());
    }

    fn sequence_options(&mut self, options: &SequenceOptions, prefix: &str) {
        let numbers = [
            ("start", options.start),
            ("increment", options.increment),
            ("minimum", options.minimum),
            ("maximum", options.maximum),
            ("cache", options.cache),
        ];
        if let Some(data_type) = &options.data_type {
            self.text(format!("{prefix}type"), data_type);
        }
        for (aspect, number) in numbers {
            if let Some(number) = number {
                self.text(format!("{prefix}{aspect}"), number.to_string());
            }
        }
        self.flag(format!("{prefix}cycle"), options.cycle);
    }

    fn view(&mut self, view: &View) {
        self.flag("materialized", view.materialized);
        if !view.materialized {
            // whose rights count, and what may be written: how a materialized view is stored says nothing of it
            for (option, value) in view.parameters() {
                self.text(format!("option {option}"), value);
            }
        }
        if view.columns.is_empty() {
            self.expression("query", &view.query);
        } else {
            // the catalog has the names in the query itself
            let query = format!("({}) as {}", quoted_list(&view.columns), view.query.sql());
            self.expression("query", &Expression::written(query, view.query.at));
        }
        self.comment(view.comment.as_ref());
    }

    fn trigger(&mut self, trigger: &Trigger) {
        self.text("timing", trigger.timing.sql());
        self.text("events", trigger.events_sql(true));
        self.text("level", if trigger.for_each_row { "row" } else { "statement" });
        for (aspect, name) in [("old table", &trigger.old_table), ("new table", &trigger.new_table)] {
            if let Some(name) = name {
                self.text(aspect, name.as_str());
            }
        }
        if let Some(when) = &trigger.when {
            self.expression("when", when);
        }
        self.text("function", trigger.function.quoted());
        if !trigger.arguments.is_empty() {
            self.text("arguments", trigger.arguments_sql());
        }
        if let Some(constraint) = &trigger.constraint {
            self.text("constraint", constraint.sql());
        }
        if trigger.state != TriggerState::Enabled {
            self.text("state", trigger.state.sql());
        }
        self.comment(trigger.comment.as_ref());
    }

    fn routine(&mut self, routine: &Routine) {
        self.text("kind", routine.kind.sql());
        for (number, argument) in routine.arguments.iter().enumerate() {
            let aspect = format!("argument {}", number + 1);
            self.text(&aspect, argument.sql());
            if let Some(default) = &argument.default {
                self.expression(format!("{aspect} default"), default);
            }
        }
        if let Some(returns) = routine.returns.sql() {
            self.text("returns", returns);
        }
        self.text("language", routine.language.as_str());
        match &routine.body {
            RoutineBody::Text(text) => self.text("body", text),
            RoutineBody::Library(file, symbol) => self.text("body", format!("{symbol} of {file}")),
            RoutineBody::Sql(body) => self.expression("body", body),
        }
        let attributes = &routine.attributes;
        if attributes.volatility != Volatility::Volatile {
            self.text("volatility", attributes.volatility.sql());
        }
        self.flag("strict", attributes.strict);
        self.flag("security definer", attributes.security_definer);
        self.flag("leakproof", attributes.leakproof);
        if attributes.parallel != Parallel::Unsafe {
            self.text("parallel", attributes.parallel.sql());
        }
        for (aspect, number) in [("cost", &attributes.cost), ("rows", &attributes.rows)] {
            if let Some(number) = number {
                self.text(aspect, number);
            }
        }
        for (name, values) in &attributes.settings {
            self.text(format!("setting {name}"), values.join(", "));
        }
        self.comment(routine.comment.as_ref());
    }
}
