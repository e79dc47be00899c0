//! `create table`.
//!
//! - **SQL**: `create table documents (id uuid primary key, …)`
//! - **Lock**: none on what exists; share row exclusive on the targets of its foreign keys
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
use crate::ops::DropTable;
use crate::render;
use crate::report::Report;
use crate::schema::{Column, ConstraintKind, ObjectKey, Origin, Schema, Sequence, SequenceOptions, Table};
use indexmap::IndexMap;
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
}

impl Operate for CreateTable {
    fn describe(&self) -> String {
        format!("create table `{}`", self.table.name)
    }

    fn requires(&self) -> Vec<ObjectKey> {
        let targets = self.foreign_targets().filter(|target| **target != self.table.name);
        targets.map(|target| ObjectKey::Table(target.clone())).collect()
    }

    fn touches(&self) -> Vec<ObjectKey> {
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
        naming::name_constraints(schema, &name, &self.table.columns, &mut self.constraints);
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
        checks::new_constraints(schema, table.clone(), &self.constraints, report);
    }

    fn apply(&self, schema: &mut Schema, origin: &Origin) {
        if self.if_not_exists && schema.tables.contains_key(&self.table.name) {
            return;
        }
        let mut table = self.table.clone();
        table.origin = origin.clone();
        table.constraints =
            self.constraints.iter().map(|constraint| (constraint.name.clone(), constraint.clone())).collect::<IndexMap<_, _>>();
        for (column, sequence) in &self.serials {
            let options = SequenceOptions { data_type: table.column(column.as_str()).and_then(serial_type), ..Default::default() };
            let owned_by = Some((table.name.clone(), column.clone()));
            let sequence = table.name.sibling(sequence.clone());
            schema.sequences.insert(sequence, Sequence { options, owned_by, comment: None, origin: origin.clone() });
        }
        schema.tables.insert(table.name.clone(), table);
    }

    fn effects(&self, _schema: &Schema) -> Effects {
        let targets = self.foreign_targets().filter(|target| **target != self.table.name);
        targets.fold(Effects::default(), |effects, target| effects.and_lock(target, LockMode::ShareRowExclusive))
    }

    fn inverse(&self, before: &Schema) -> Inverse {
        if before.tables.contains_key(&self.table.name) {
            return Ok(Vec::new());
        }
        Ok(vec![DropTable::new(self.table.name.clone()).into()])
    }

    fn render(&self) -> Vec<String> {
        let table = &self.table;
        let serial = |column: &Column| self.serials.iter().any(|(name, _)| *name == column.name);
        let columns = table.columns.iter().map(|column| render::column(&table.name, column, serial(column)));
        let parts: Vec<_> = columns.chain(self.constraints.iter().map(render::constraint)).collect();
        let unlogged = if table.unlogged { "unlogged " } else { "" };
        let options = if table.options.is_empty() { String::new() } else { format!(" {}", table.options) };
        let body = if parts.is_empty() { "()".to_owned() } else { format!("(\n    {}\n)", parts.join(",\n    ")) };
        let mut statements = vec![format!("create {unlogged}table {} {body}{options}", table.name.quoted())];
        if let Some(comment) = &table.comment {
            statements.push(format!("comment on table {} is {}", table.name.quoted(), quote_literal(comment)));
        }
        statements.extend(render::comments(&table.name, &table.columns, &self.constraints));
        statements
    }
}

impl CreateTable {
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
    use crate::lower::{columns, constraints, syntax};
    use crate::name::Name;
    use crate::schema::Table;
    use squawk_syntax::ast::{self, AstNode};

    impl CreateTable {
        /// `None` for what takes its columns from elsewhere (`like`, `of`, `partition of`, `inherits`) and for temporary
        /// tables, which no later statement of another session can see.
        pub(crate) fn lower(statement: &ast::CreateTable) -> Option<Self> {
            let elsewhere = statement.of_type().is_some()
                || statement.partition_of().is_some()
                || statement.inherits().is_some()
                || statement.on_commit().is_some()
                || matches!(statement.persistence(), Some(ast::Persistence::Temp(_)));
            if elsewhere {
                return None;
            }
            let mut table = Table::new(syntax::path(&statement.table_name()?.path()?)?);
            table.unlogged = matches!(statement.persistence(), Some(ast::Persistence::Unlogged(_)));
            let options = [
                statement.partition_by().map(|it| syntax::spelt(it.syntax())),
                statement.using_method().map(|it| syntax::spelt(it.syntax())),
                statement.table_params().map(|it| syntax::spelt(it.syntax())),
                statement.tablespace_clause().map(|it| syntax::spelt(it.syntax())),
            ];
            table.options = options.into_iter().flatten().collect::<Vec<_>>().join(" ");
            let mut operation =
                Self { table, constraints: Vec::new(), serials: Vec::new(), if_not_exists: statement.if_not_exists().is_some() };
            for arg in statement.table_arg_list()?.args() {
                operation.add(&arg)?;
            }
            Some(operation)
        }

        fn add(&mut self, arg: &ast::TableArg) -> Option<()> {
            match arg {
                ast::TableArg::Column(column) => {
                    let clauses = column.clauses().map(|clause| clause.syntax().clone());
                    let definition = columns::lower(&column.name()?, &column.ty()?, clauses)?;
                    if definition.serial {
                        self.serials.push((definition.column.name.clone(), Name::new("")));
                    }
                    self.constraints.extend(definition.constraints);
                    self.table.columns.push(definition.column);
                }
                ast::TableArg::TableConstraint(ast::TableConstraint::NotNullConstraint(it)) => {
                    let column = syntax::name(&it.column_name_ref()?);
                    self.table.column_mut(column.as_str())?.not_null = true;
                }
                ast::TableArg::TableConstraint(constraint) => self.constraints.push(constraints::table_constraint(constraint)?),
                ast::TableArg::LikeClause(_) => return None,
            }
            Some(())
        }
    }
}
