//! `alter table … add column`.
//!
//! - **SQL**: `alter table documents add column status text not null default 'new'`
//! - **Lock**: access exclusive on the table
//! - **Rewrites**: the table, where the default is volatile, the column is an identity, a serial, stored generated or of a
//!   domain; otherwise a constraint has it read whole, but for a foreign key without a default
//! - **Transaction**: inside
//! - **Undo**: `drop column`
//! - **Since**: PostgreSQL 13
//! - **Source**: PostgreSQL manual, `ALTER TABLE`, notes on `ADD COLUMN`

use crate::checks;
use crate::effects::{Effects, LockMode};
use crate::expression::{Expression, is_built_in_function};
use crate::name::{DEFAULT_SCHEMA, Name, QualifiedName};
use crate::naming;
use crate::operation::{Inverse, Operate};
use crate::ops::{DropColumn, create_table};
use crate::render;
use crate::report::Report;
use crate::schema::{Column, Constraint, ConstraintKind, ObjectKey, Origin, Schema, Sequence, SequenceOptions, Volatility};
use serde::{Deserialize, Serialize};

/// Adds a column to a table, with the constraints that were written behind it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddColumn {
    /// The table.
    pub table: QualifiedName,
    /// The column.
    pub column: Column,
    /// Its constraints, named once bound.
    #[serde(default)]
    pub constraints: Vec<Constraint>,
    /// Whether it is of a serial type; the sequence, named once bound.
    #[serde(default)]
    pub serial: Option<Name>,
    /// `if not exists`.
    #[serde(default)]
    pub if_not_exists: bool,
}

impl AddColumn {
    fn key(&self) -> ObjectKey {
        ObjectKey::Column(self.table.clone(), self.column.name.clone())
    }

    fn foreign_targets(&self) -> impl Iterator<Item = &QualifiedName> {
        self.constraints.iter().filter_map(|constraint| match &constraint.kind {
            ConstraintKind::ForeignKey(key) => Some(&key.references),
            _ => None,
        })
    }

    /// Whether every row has to be written: PostgreSQL keeps one value for all old rows only if it is the same for all,
    /// and no constraint of a domain has to be looked at.
    fn rewrites(&self, schema: &Schema) -> bool {
        let data_type = &self.column.data_type;
        let default = self.column.default.as_ref().or_else(|| schema.default_of_type(data_type));
        let volatile = default.is_some_and(|default| may_be_volatile(default, schema));
        let stored = self.column.generated.as_ref().is_some_and(|generated| generated.stored);
        let tested = self.may_be_domain(schema) || schema.is_tested(data_type);
        volatile || stored || tested || self.serial.is_some() || self.column.identity.is_some()
    }

    /// What the sequence of a serial column is like.
    pub(crate) fn serial_options(&self) -> SequenceOptions {
        SequenceOptions { data_type: create_table::serial_type(&self.column), ..SequenceOptions::default() }
    }

    /// Whether it is of a type that the model knows by name only.
    fn may_be_domain(&self, schema: &Schema) -> bool {
        self.column.data_type.named().is_some_and(|name| schema.others.contains_key(name))
    }

    /// Whether every row has to be written because of the column's own default, and for no other reason.
    pub(crate) fn is_filled_by_volatile_default(&self, schema: &Schema) -> bool {
        let Column { data_type, default, generated, identity, .. } = &self.column;
        let is_volatile = default.as_ref().is_some_and(|default| may_be_volatile(default, schema));
        let of_type = self.may_be_domain(schema) || schema.is_tested(data_type) || schema.default_of_type(data_type).is_some();
        is_volatile && generated.is_none() && identity.is_none() && !of_type
    }

    /// Whether the rows are read: for a constraint, or for a column that none of them has a value for.
    fn scans(&self) -> bool {
        let filled = self.column.default.is_some() || self.column.identity.is_some() || self.column.generated.is_some();
        let constrained = self.constraints.iter().any(|constraint| match &constraint.kind {
            // nothing refers to anything yet: PostgreSQL knows that of a key that stands behind its column
            ConstraintKind::ForeignKey(_) => {
                constraint.validated && (filled || render::column_constraint(&self.column, constraint).is_none())
            }
            ConstraintKind::Check { .. } => constraint.validated,
            _ => true,
        });
        constrained || (self.column.not_null && !filled)
    }
}

/// Whether it may be another value for each row, as far as the schema knows the functions that it calls.
fn may_be_volatile(default: &Expression, schema: &Schema) -> bool {
    default.may_be_volatile_but_for(|namespace, name| {
        // those of the system are found first
        if namespace.is_none() && is_built_in_function(name) {
            return false;
        }
        let name = QualifiedName::new(namespace.unwrap_or(DEFAULT_SCHEMA), name);
        let mut known = schema.routines.iter().filter(|(signature, _)| signature.name == name).peekable();
        let is_stable = known.peek().is_some() && known.all(|(_, routine)| routine.attributes.volatility != Volatility::Volatile);
        is_stable && !schema.other_routines.contains(&name)
    })
}

impl Operate for AddColumn {
    fn describe(&self) -> String {
        format!("add column `{}.{}`", self.table, self.column.name)
    }

    fn requires(&self) -> Vec<ObjectKey> {
        let targets = self.foreign_targets().filter(|target| **target != self.table).cloned();
        std::iter::once(self.table.clone()).chain(targets).map(ObjectKey::Table).collect()
    }

    fn touches(&self) -> Vec<ObjectKey> {
        let constraints = self.constraints.iter().map(|constraint| ObjectKey::Constraint(self.table.clone(), constraint.name.clone()));
        std::iter::once(self.key()).chain(constraints).collect()
    }

    fn bind(&mut self, schema: &Schema) {
        if let Some(sequence) = &mut self.serial {
            if sequence.as_str().is_empty() {
                *sequence = naming::sequence(schema, &self.table, self.column.name.as_str());
            }
            self.column.default = Some(create_table::serial_default(&self.table.sibling(sequence.clone())));
        }
        if let Some(identity) = self.column.identity.as_mut().filter(|identity| identity.sequence.as_str().is_empty()) {
            identity.sequence = naming::sequence(schema, &self.table, self.column.name.as_str());
        }
        let mut columns = schema.table(&self.table).map(|table| table.columns.clone()).unwrap_or_default();
        columns.push(self.column.clone());
        naming::name_constraints(schema, &self.table, &columns, &mut self.constraints);
        for constraint in &mut self.constraints {
            naming::complete_foreign_key(schema, None, constraint);
        }
    }

    fn check(&self, schema: &Schema, report: &mut Report) {
        report.check_length([&self.column.name]);
        report.check_length(self.constraints.iter().map(|constraint| &constraint.name));
        report.needs_type(schema, &self.column.data_type);
        if self.column.identity.is_some() {
            report.check_identity(&self.table, &self.column, self.column.name.at);
        }
        if !report.needs_table(schema, &self.table) {
            return;
        }
        if schema.column(&self.table, self.column.name.as_str()).is_some() {
            if !self.if_not_exists {
                report.already_exists(schema, &self.key(), self.column.name.at);
            }
            return;
        }
        let Some(mut after) = schema.table(&self.table).cloned() else { return };
        if let Some(partition) = &after.partition {
            report.no_column_of_partition(&self.table, &partition.of, self.column.name.at);
            return;
        }
        after.columns.push(self.column.clone());
        checks::generated(schema, &after, &self.column, report);
        checks::new_constraints(schema, after, &self.constraints, report);
    }

    fn apply(&self, schema: &mut Schema, origin: &Origin) {
        let Some(table) = schema.table(&self.table) else { return };
        if table.column(self.column.name.as_str()).is_some() {
            return;
        }
        schema.add_column(&self.table, self.column.clone());
        for constraint in &self.constraints {
            schema.add_constraint(&self.table, constraint.clone(), false);
        }
        if let Some(sequence) = &self.serial {
            let options = self.serial_options();
            let owned_by = Some((self.table.clone(), self.column.name.clone()));
            let name = self.table.sibling(sequence.clone());
            schema.sequences.insert(name, Sequence { options, owned_by, origin: origin.clone(), ..Sequence::default() });
        }
    }

    fn effects(&self, schema: &Schema) -> Effects {
        let mut effects = Effects::lock(&self.table, LockMode::AccessExclusive);
        if self.rewrites(schema) {
            effects = effects.and_rewrite(&self.table);
        } else if self.scans() {
            effects = effects.and_scan(&self.table);
        }
        let effects = effects.and_descendants(schema, &self.table);
        self.foreign_targets().fold(effects, |effects, target| effects.and_lock(target, LockMode::ShareRowExclusive))
    }

    fn inverse(&self, before: &Schema) -> Inverse {
        if before.column(&self.table, self.column.name.as_str()).is_some() {
            return Ok(Vec::new());
        }
        let column = self.column.name.clone();
        Ok(vec![DropColumn::new(self.table.clone(), column).into()])
    }

    fn render(&self) -> Vec<String> {
        let column = render::column(&self.table, &self.column, self.serial.is_some());
        let mut sql = format!("alter table {} add column {column}", self.table.quoted());
        let behind: Vec<_> = self.constraints.iter().map(|constraint| render::column_constraint(&self.column, constraint)).collect();
        for clause in behind.iter().flatten() {
            sql.push(' ');
            sql.push_str(clause);
        }
        for (constraint, _) in self.constraints.iter().zip(&behind).filter(|(_, clause)| clause.is_none()) {
            sql.push_str(", add ");
            sql.push_str(&render::constraint(constraint));
        }
        let mut statements = vec![sql];
        statements.extend(render::comments(&self.table, std::slice::from_ref(&self.column), &self.constraints));
        statements
    }
}

#[cfg(feature = "parser")]
mod lower {
    use super::AddColumn;
    use crate::lower::columns;
    use crate::name::{Name, QualifiedName};
    use squawk_syntax::ast::{self, AstNode};

    impl AddColumn {
        pub(crate) fn lower(table: &QualifiedName, action: &ast::AddColumn) -> Option<Self> {
            let collate = action.collate().map(|it| it.syntax().clone());
            let clauses = collate.into_iter().chain(action.constraints().map(|it| it.syntax().clone()));
            let definition = columns::lower(&action.column_name()?, &action.ty()?, clauses)?;
            Some(Self {
                table: table.clone(),
                column: definition.column,
                constraints: definition.constraints,
                serial: definition.serial.then(|| Name::new("")),
                if_not_exists: action.if_not_exists().is_some(),
            })
        }
    }
}
