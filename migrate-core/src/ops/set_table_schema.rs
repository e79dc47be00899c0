//! `alter table … set schema`.
//!
//! - **SQL**: `alter table documents set schema archive`
//! - **Lock**: access exclusive on the table
//! - **Rewrites**: nothing
//! - **Transaction**: inside
//! - **Undo**: the other way round
//! - **Since**: PostgreSQL 13
//! - **Source**: PostgreSQL manual, `ALTER TABLE`, `SET SCHEMA`

use crate::effects::{Effects, LockMode};
use crate::name::{Name, QualifiedName};
use crate::operation::{Inverse, Operate};
use crate::report::Report;
use crate::schema::{ObjectKey, Origin, Schema, Table};
use serde::{Deserialize, Serialize};

/// Moves a table to another schema, with its constraints, its indexes and the sequences that its columns own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetTableSchema {
    /// The table.
    pub table: QualifiedName,
    /// The schema that it goes to.
    pub schema: Name,
}

impl SetTableSchema {
    fn target(&self) -> QualifiedName {
        QualifiedName { schema: self.schema.clone(), name: Name::written(self.table.name.as_str(), self.schema.at) }
    }

    /// The relations that go with the table and have names of their own.
    fn companions(schema: &Schema, table: &Table) -> Vec<Name> {
        let indexes = table.indexes.keys();
        let constraints = table.constraints.values().filter(|constraint| constraint.kind.has_index()).map(|constraint| &constraint.name);
        let identities = table.columns.iter().filter_map(|column| column.identity.as_ref().map(|identity| &identity.sequence));
        let sequences =
            schema.sequences.iter().filter(|(_, sequence)| sequence.owned_by.as_ref().is_some_and(|(owner, _)| *owner == table.name));
        indexes.chain(constraints).chain(identities).chain(sequences.map(|(name, _)| &name.name)).cloned().collect()
    }
}

impl Operate for SetTableSchema {
    fn describe(&self) -> String {
        format!("move table `{}` to schema `{}`", self.table, self.schema)
    }

    fn requires(&self) -> Vec<ObjectKey> {
        vec![ObjectKey::Schema(self.schema.clone())]
    }

    fn touches(&self) -> Vec<ObjectKey> {
        if self.schema == self.table.schema {
            return Vec::new();
        }
        vec![ObjectKey::Table(self.table.clone()), ObjectKey::Table(self.target())]
    }

    fn check(&self, schema: &Schema, report: &mut Report) {
        let known = report.needs_table(schema, &self.table);
        if !known {
            report.forgive(ObjectKey::Table(self.target()));
        }
        if !report.needs_schema(schema, &self.schema) || self.schema == self.table.schema {
            return;
        }
        report.new_table_name(schema, &self.target());
        for name in schema.table(&self.table).into_iter().flat_map(|table| Self::companions(schema, table)) {
            let moved = QualifiedName { schema: self.schema.clone(), name: Name::written(name.as_str(), self.schema.at) };
            if let Some(kind) = schema.relation_kind(&moved) {
                report.relation_exists(&moved, kind, self.schema.at);
            }
        }
    }

    fn apply(&self, schema: &mut Schema, origin: &Origin) {
        if schema.move_table(&self.table, &self.target()) {
            schema.record_departure(ObjectKey::Table(self.table.clone()), Some(self.target().to_string()), origin);
        }
    }

    fn effects(&self, _schema: &Schema) -> Effects {
        Effects { breaks_readers: true, ..Effects::lock(&self.table, LockMode::AccessExclusive) }
    }

    fn inverse(&self, _before: &Schema) -> Inverse {
        if self.schema == self.table.schema {
            return Ok(Vec::new());
        }
        Ok(vec![Self { table: self.target(), schema: self.table.schema.clone() }.into()])
    }

    fn render(&self) -> Vec<String> {
        vec![format!("alter table {} set schema {}", self.table.quoted(), self.schema.quoted())]
    }
}

#[cfg(feature = "parser")]
mod lower {
    use super::SetTableSchema;
    use crate::lower::syntax;
    use crate::name::QualifiedName;
    use squawk_syntax::ast;

    impl SetTableSchema {
        pub(crate) fn lower(table: &QualifiedName, action: &ast::SetSchema) -> Option<Self> {
            Some(Self { table: table.clone(), schema: syntax::name(&action.schema_ref()?) })
        }
    }
}
