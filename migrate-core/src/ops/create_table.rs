//! `create table`.
//!
//! - **SQL**: `create table documents (id uuid primary key, …)`, `create table events_1 partition of events default`
//! - **Lock**: none on what exists, but for the targets of its foreign keys (share row exclusive), the tables that it inherits
//!   from (share update exclusive) or is like (access share), and the table that it is a partition of, whose default
//!   partition is read for rows of the new one (access exclusive, on both)
//! - **Rewrites**: nothing
//! - **Transaction**: inside
//! - **Undo**: `drop table`
//! - **Since**: PostgreSQL 13
//! - **Source**: PostgreSQL manual, `CREATE TABLE`

use crate::checks;
use crate::effects::{Effects, LockMode};
use crate::expression::Expression;
use crate::name::{Name, quote_literal};
use crate::naming;
use crate::operation::{Inverse, Operate};
use crate::ops::table_shape::{ColumnChange, Like, Property};
use crate::ops::{DropTable, family};
use crate::render;
use crate::report::Report;
use crate::schema::{Column, ConstraintKind, ObjectKey, Origin, OtherKind, OtherObject, Schema, Sequence, SequenceOptions, Table};
use serde::{Deserialize, Serialize};

/// Creates a table with its columns and constraints.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreateTable {
    /// The table.
    pub table: Table,
    /// The constraints in the order in which they were written, named once bound.
    pub constraints: Vec<crate::schema::Constraint>,
    /// The columns of a serial type, each with the sequence that it gets.
    #[serde(default)]
    pub serials: Vec<(Name, Name)>,
    /// `if not exists`.
    #[serde(default)]
    pub if_not_exists: bool,
    /// Of a partition: what it says of the columns of the partitioned table.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<ColumnChange>,
    /// `like …`, in the order of the text.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub likes: Vec<Like>,
    /// Whether nothing is known of the columns that it takes from elsewhere, once bound.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unknown: bool,
}

impl CreateTable {
    /// A table with its own columns and constraints.
    #[must_use]
    pub fn new(table: Table, constraints: Vec<crate::schema::Constraint>, serials: Vec<(Name, Name)>) -> Self {
        Self { table, constraints, serials, if_not_exists: false, changes: Vec::new(), likes: Vec::new(), unknown: false }
    }
}

impl Operate for CreateTable {
    fn describe(&self) -> String {
        format!("create table `{}`", self.table.name)
    }

    fn requires(&self) -> Vec<ObjectKey> {
        let targets = self.foreign_targets().filter(|target| **target != self.table.name);
        self.sources().chain(targets).map(|target| ObjectKey::Table(target.clone())).collect()
    }

    fn touches(&self) -> Vec<ObjectKey> {
        if self.unknown {
            return Vec::new();
        }
        vec![ObjectKey::Table(self.table.name.clone())]
    }

    fn bind(&mut self, schema: &Schema) {
        let name = self.table.name.clone();
        // where it is needed, there is no table whose names could be taken
        let without = (self.if_not_exists && schema.tables.contains_key(&name)).then(|| {
            let mut without = schema.clone();
            DropTable::new(name.clone()).apply(&mut without, &Origin::default());
            without
        });
        let schema = without.as_ref().unwrap_or(schema);
        for (column, sequence) in &mut self.serials {
            if sequence.as_str().is_empty() {
                *sequence = naming::sequence(schema, &name, column.as_str());
            }
        }
        for column in &mut self.table.columns {
            if let Some((_, sequence)) = self.serials.iter().find(|(serial, _)| *serial == column.name) {
                column.default = Some(serial_default(&name.sibling(sequence.clone())));
            }
            if let Some(identity) = column.identity.as_mut().filter(|identity| identity.sequence.as_str().is_empty()) {
                identity.sequence = naming::sequence(schema, &name, column.name.as_str());
            }
        }
        let shape = self.shape(schema);
        self.unknown = shape.is_none() && without.is_none();
        let columns = shape.map_or_else(|| self.table.columns.clone(), |shape| shape.columns);
        naming::name_constraints(schema, &name, &columns, &mut self.constraints);
        let own = self.constraints.clone();
        for constraint in &mut self.constraints {
            naming::complete_foreign_key(schema, Some((&name, &own)), constraint);
        }
        for constraint in &mut self.constraints {
            // there are no rows that could break it, so PostgreSQL takes no notice of `not valid`
            constraint.validated = true;
            if let ConstraintKind::PrimaryKey(key) = &constraint.kind {
                for column in self.table.columns.iter_mut().filter(|column| key.columns.contains(&column.name)) {
                    column.not_null = true;
                }
            }
        }
    }

    fn check(&self, schema: &Schema, report: &mut Report) {
        let table = &self.table;
        report.check_length([&table.name.name]);
        report.check_length(table.columns.iter().map(|column| &column.name));
        report.check_length(self.constraints.iter().map(|constraint| &constraint.name));
        if table.name.schema.as_str() != crate::name::DEFAULT_SCHEMA && !schema.schemas.contains_key(&table.name.schema) {
            report.unknown(schema, &ObjectKey::Schema(table.name.schema.clone()), table.name.schema.at);
        }
        if self.if_not_exists && schema.tables.contains_key(&table.name) {
            return;
        }
        report.new_table_name(schema, &table.name);
        for (i, column) in table.columns.iter().enumerate() {
            if table.columns[..i].iter().any(|earlier| earlier.name == column.name) {
                report.already_exists(schema, &ObjectKey::Column(table.name.clone(), column.name.clone()), column.name.at);
            }
            report.needs_type(schema, &column.data_type);
            if column.identity.is_some() {
                report.check_identity(&table.name, column, column.name.at);
            }
        }
        self.check_sequences(report);
        if self.sources().next().is_some() {
            return self.check_sources(schema, report);
        }
        checks::partition_key(schema, table, report);
        for column in &table.columns {
            checks::generated(schema, table, column, report);
        }
        checks::new_constraints(schema, table.clone(), &self.constraints, report);
    }

    fn apply(&self, schema: &mut Schema, origin: &Origin) {
        if self.if_not_exists && schema.tables.contains_key(&self.table.name) {
            return;
        }
        let Some(mut table) = self.shape(schema) else {
            let other = OtherObject { kind: OtherKind::Relation, of: None, origin: origin.clone() };
            schema.others.insert(self.table.name.clone(), other);
            return;
        };
        table.origin = origin.clone();
        for (column, sequence) in &self.serials {
            let options = SequenceOptions { data_type: table.column(column.as_str()).and_then(serial_type), ..Default::default() };
            let owned_by = Some((table.name.clone(), column.clone()));
            let sequence = table.name.sibling(sequence.clone());
            schema.sequences.insert(sequence, Sequence { options, owned_by, origin: origin.clone(), ..Sequence::default() });
        }
        schema.tables.insert(table.name.clone(), table);
        self.add_constraints(schema);
        self.complete(schema);
    }

    fn effects(&self, schema: &Schema) -> Effects {
        let targets = self.foreign_targets().filter(|target| **target != self.table.name);
        let effects = targets.fold(Effects::default(), |effects, target| effects.and_lock(target, LockMode::ShareRowExclusive));
        let effects = self.likes.iter().fold(effects, |effects, like| effects.and_lock(&like.source, LockMode::AccessShare));
        let parents = self.table.inherits.iter();
        let effects = parents.fold(effects, |effects, parent| effects.and_lock(parent, LockMode::ShareUpdateExclusive));
        let Some(partition) = &self.table.partition else { return effects };
        let effects = effects.and_lock(&partition.of, LockMode::AccessExclusive);
        let targets = family::targets(schema, &partition.of);
        let effects = targets.fold(effects, |effects, target| effects.and_lock(target, LockMode::ShareRowExclusive));
        match schema.default_partition(&partition.of) {
            Some(default) => effects.and_lock(default, LockMode::AccessExclusive).and_scan(default),
            None => effects,
        }
    }

    fn inverse(&self, before: &Schema) -> Inverse {
        if before.tables.contains_key(&self.table.name) {
            return Ok(Vec::new());
        }
        Ok(vec![DropTable::new(self.table.name.clone()).into()])
    }

    fn render(&self) -> Vec<String> {
        let table = &self.table;
        let parts = self.parts();
        let unlogged = if table.unlogged { "unlogged " } else { "" };
        let body = match (&table.partition, parts.is_empty()) {
            (None, true) => " ()".to_owned(),
            (Some(_), true) => String::new(),
            _ => format!(" (\n    {}\n)", parts.join(",\n    ")),
        };
        let of = table.partition.as_ref().map(|partition| format!(" partition of {}", partition.of.quoted())).unwrap_or_default();
        let options = render::table_options(table);
        let mut statements = vec![format!("create {unlogged}table {}{of}{body}{options}", table.name.quoted())];
        if let Some(comment) = &table.comment {
            statements.push(format!("comment on table {} is {}", table.name.quoted(), quote_literal(comment)));
        }
        statements.extend(render::comments(&table.name, &table.columns, &self.constraints));
        statements
    }
}

impl CreateTable {
    /// What stands in the column list.
    fn parts(&self) -> Vec<String> {
        let table = &self.table;
        let serial = |column: &Column| self.serials.iter().any(|(name, _)| *name == column.name);
        let mut parts: Vec<String> = Vec::new();
        for (i, column) in table.columns.iter().enumerate() {
            parts.extend(self.likes.iter().filter(|like| like.position == i).map(Like::sql));
            parts.push(render::column(&table.name, column, serial(column)));
        }
        parts.extend(self.likes.iter().filter(|like| like.position >= table.columns.len()).map(Like::sql));
        parts.extend(self.changes.iter().map(ColumnChange::sql));
        parts.extend(self.constraints.iter().map(render::constraint));
        parts
    }

    /// Adds the keys that come from the partitioned table, and the table's own constraints.
    fn add_constraints(&self, schema: &mut Schema) {
        let name = &self.table.name;
        if let Some(partition) = &self.table.partition {
            schema.adopt(name, &partition.of);
        }
        for constraint in &self.constraints {
            schema.add_constraint(name, constraint.clone(), false);
        }
    }

    /// Reports what is wrong with a table that takes columns from others.
    fn check_sources(&self, schema: &Schema, report: &mut Report) {
        let known = self.sources().filter(|source| !report.needs_relation(schema, source)).count() == 0;
        if !known {
            report.forgive(ObjectKey::Table(self.table.name.clone()));
        }
        let Some(shape) = self.shape(schema).filter(|_| known) else { return };
        for change in &self.changes {
            if shape.column(change.name.as_str()).is_none() {
                report.unknown_column_of(schema, &shape, &change.name);
            }
        }
        self.check_likes(schema, report);
        for parent in &self.table.inherits {
            checks::can_inherit(schema, parent, report);
            let Some(parent) = schema.table(parent) else { continue };
            for column in &self.table.columns {
                let other = parent.column(column.name.as_str()).filter(|other| other.data_type != column.data_type);
                if let Some(other) = other {
                    report.other_type_in_parent(&parent.name, column, &other.data_type);
                }
            }
        }
        if let Some(partition) = &self.table.partition {
            checks::new_partition(schema, partition, report);
        }
        checks::partition_key(schema, &shape, report);
        // the keys that it gets from the partitioned table are there before its own
        let mut with_keys = schema.clone();
        with_keys.tables.insert(shape.name.clone(), shape);
        if let Some(partition) = &self.table.partition {
            with_keys.adopt(&self.table.name, &partition.of);
        }
        if let Some(table) = with_keys.table(&self.table.name).cloned() {
            let inherited = table.constraints.values().filter(|_| self.table.is_partitioned());
            inherited.for_each(|constraint| checks::covers_partition_key(&table, constraint, table.name.at(), report));
            checks::new_constraints(schema, table, &self.constraints, report);
        }
    }

    /// Reports what comes from two sources, or is written here, too.
    fn check_likes(&self, schema: &Schema, report: &mut Report) {
        let mut has_key = self.constraints.iter().any(|constraint| matches!(constraint.kind, ConstraintKind::PrimaryKey(_)));
        for (i, like) in self.likes.iter().enumerate() {
            let Some(source) = schema.table(&like.source) else { continue };
            for column in &source.columns {
                let name = column.name.as_str();
                if let Some(own) = self.table.column(name) {
                    report.column_comes_twice(&own.name, &like.source, own.name.at);
                } else if self.likes[..i].iter().any(|earlier| schema.column(&earlier.source, name).is_some()) {
                    report.column_comes_twice(&column.name, &like.source, like.source.at());
                }
            }
            let copies_key = like.copies(Property::Indexes) && source.primary_key().is_some();
            if has_key && copies_key {
                report.second_key_by_like(&self.table.name, &like.source);
            }
            has_key |= copies_key;
        }
    }

    /// PostgreSQL names the sequences of a table before it has made any: where two names are cut to the same, it fails.
    fn check_sequences(&self, report: &mut Report) {
        let sequence = |column: &Column| {
            let serial = self.serials.iter().find(|(serial, _)| *serial == column.name).map(|(_, sequence)| sequence.clone());
            serial.or_else(|| column.identity.as_ref().map(|identity| identity.sequence.clone()))
        };
        let mut earlier: Vec<Name> = Vec::new();
        for column in &self.table.columns {
            let Some(sequence) = sequence(column) else { continue };
            if earlier.contains(&sequence) {
                report.same_sequence(&column.name, &self.table.name.sibling(sequence.clone()));
            }
            earlier.push(sequence);
        }
    }

    fn foreign_targets(&self) -> impl Iterator<Item = &crate::name::QualifiedName> {
        self.constraints.iter().filter_map(|constraint| match &constraint.kind {
            ConstraintKind::ForeignKey(key) => Some(&key.references),
            _ => None,
        })
    }
}

/// The default that PostgreSQL gives to a serial column.
pub(crate) fn serial_default(sequence: &crate::name::QualifiedName) -> Expression {
    Expression::new(format!("nextval({}::regclass)", quote_literal(&sequence.quoted())))
}

/// The type that the sequence of a serial column gets; `bigint` is the default.
pub(crate) fn serial_type(column: &Column) -> Option<String> {
    Some(column.data_type.sql()).filter(|name| name != "bigint")
}

#[cfg(feature = "parser")]
mod lower {
    use super::CreateTable;
    use crate::lower::{columns, constraints, indexes, syntax};
    use crate::name::Name;
    use crate::ops::{ColumnChange, Like, Property};
    use crate::schema::{Column, Parameters, Partition, Table};
    use squawk_syntax::ast::{self, AstNode};

    impl CreateTable {
        /// `None` for tables of a type, and for temporary ones, which no later statement of another session can see.
        pub(crate) fn lower(statement: &ast::CreateTable) -> Option<Self> {
            let elsewhere = statement.of_type().is_some()
                || statement.on_commit().is_some()
                || matches!(statement.persistence(), Some(ast::Persistence::Temp(_)));
            if elsewhere {
                return None;
            }
            let mut table = Table::new(syntax::path(&statement.table_name()?.path()?)?);
            table.unlogged = matches!(statement.persistence(), Some(ast::Persistence::Unlogged(_)));
            table.partition_by = statement.partition_by().map(|it| syntax::clause(&it));
            table.partition = match statement.partition_of() {
                Some(of) => {
                    Some(Partition { of: syntax::table_ref(&of.table_name_ref()?)?, bound: syntax::clause(&statement.partition_type()?) })
                }
                None => None,
            };
            let parents = statement.inherits();
            let parents = parents.iter().flat_map(ast::Inherits::table_name_refs);
            table.inherits = parents.map(|parent| syntax::table_ref(&parent)).collect::<Option<_>>()?;
            if let Some(method) = statement.using_method() {
                let method = syntax::name(&method.access_method_ref()?);
                table.access_method = Some(method).filter(|method| method.as_str() != "heap");
            }
            if let Some(ast::TableParams::WithParams(parameters)) = statement.table_params() {
                table.storage = Parameters::read(&indexes::storage(&parameters));
            }
            if let Some(clause) = statement.tablespace_clause() {
                table.tablespace = Some(syntax::name(&clause.tablespace_ref()?)).filter(|it| it.as_str() != "pg_default");
            }
            let if_not_exists = statement.if_not_exists().is_some();
            let mut operation = Self { if_not_exists, ..Self::new(table, Vec::new(), Vec::new()) };
            let list = statement.table_arg_list();
            if list.is_none() && statement.partition_of().is_none() {
                return None;
            }
            for arg in list.iter().flat_map(ast::TableArgList::args) {
                operation.add(&arg)?;
            }
            Some(operation)
        }

        fn add(&mut self, arg: &ast::TableArg) -> Option<()> {
            match arg {
                ast::TableArg::Column(column) => {
                    let clauses = column.clauses().map(|clause| clause.syntax().clone());
                    let Some(ty) = column.ty() else { return self.change(column) };
                    let definition = columns::lower(&column.name()?, &ty, clauses)?;
                    if definition.serial {
                        self.serials.push((definition.column.name.clone(), Name::new("")));
                    }
                    self.constraints.extend(definition.constraints);
                    self.table.columns.push(definition.column);
                }
                ast::TableArg::TableConstraint(ast::TableConstraint::NotNullConstraint(it)) => {
                    let column = syntax::name(&it.column_name_ref()?);
                    if self.table.partition.is_some() {
                        self.changes.push(ColumnChange { name: column, default: None, not_null: true, generated: None });
                    } else {
                        self.table.column_mut(column.as_str())?.not_null = true;
                    }
                }
                ast::TableArg::TableConstraint(constraint) => self.constraints.push(constraints::table_constraint(constraint)?),
                ast::TableArg::LikeClause(like) => self.likes.push(lower_like(like, self.table.columns.len())?),
            }
            Some(())
        }

        /// What a partition says of a column of the partitioned table.
        fn change(&mut self, column: &ast::Column) -> Option<()> {
            let clauses = column.clauses().filter(|clause| !matches!(clause, ast::ColumnClause::WithOptions(_)));
            let unknown = crate::data_type::DataType::from_catalog("text");
            let definition = columns::with_type(&column.name()?, unknown, clauses.map(|clause| clause.syntax().clone()))?;
            let Column { name, default, not_null, generated, identity, .. } = definition.column;
            if identity.is_some() {
                return None;
            }
            self.constraints.extend(definition.constraints);
            self.changes.push(ColumnChange { name, default, not_null, generated });
            Some(())
        }
    }

    fn lower_like(like: &ast::LikeClause, position: usize) -> Option<Like> {
        let mut including: Vec<Property> = Vec::new();
        for option in like.like_options() {
            let (property, included) = match option {
                ast::LikeOption::IncludingProperty(it) => (it.table_property()?, true),
                ast::LikeOption::ExcludingProperty(it) => (it.table_property()?, false),
            };
            let named = properties(&property);
            including.retain(|property| !named.contains(property));
            if included {
                including.extend(named);
            }
        }
        including.sort();
        Some(Like { position, source: syntax::path_ref(&like.relation_name_ref()?.path_ref()?)?, including })
    }

    fn properties(property: &ast::TableProperty) -> Vec<Property> {
        vec![match property {
            ast::TableProperty::PropertyAll(_) => return Property::ALL.to_vec(),
            ast::TableProperty::PropertyComments(_) => Property::Comments,
            ast::TableProperty::PropertyCompression(_) => Property::Compression,
            ast::TableProperty::PropertyConstraints(_) => Property::Constraints,
            ast::TableProperty::PropertyDefaults(_) => Property::Defaults,
            ast::TableProperty::PropertyGenerated(_) => Property::Generated,
            ast::TableProperty::PropertyIdentity(_) => Property::Identity,
            ast::TableProperty::PropertyIndexes(_) => Property::Indexes,
            ast::TableProperty::PropertyStatistics(_) => Property::Statistics,
            ast::TableProperty::PropertyStorage(_) => Property::Storage,
        }]
    }
}
