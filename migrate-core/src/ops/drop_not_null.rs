//! `alter table … alter column … drop not null`.
//!
//! - **SQL**: `alter table documents alter column title drop not null`
//! - **Lock**: access exclusive on the table
//! - **Rewrites**: nothing
//! - **Transaction**: inside
//! - **Undo**: `set not null`, which fails where a null was written in between
//! - **Since**: PostgreSQL 13
//! - **Source**: PostgreSQL manual, `ALTER TABLE`, `DROP NOT NULL`

use super::alter_column;
use crate::effects::{Effects, LockMode};
use crate::name::{Name, QualifiedName};
use crate::operation::{Inverse, Operate};
use crate::ops::SetNotNull;
use crate::report::Report;
use crate::schema::{ObjectKey, Origin, Schema, Table};
use serde::{Deserialize, Serialize};

/// Allows rows without a value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DropNotNull {
    /// The table.
    pub table: QualifiedName,
    /// The column.
    pub column: Name,
}

impl Operate for DropNotNull {
    fn describe(&self) -> String {
        format!("let column `{}.{}` be null", self.table, self.column)
    }

    fn requires(&self) -> Vec<ObjectKey> {
        vec![ObjectKey::Table(self.table.clone())]
    }

    fn touches(&self) -> Vec<ObjectKey> {
        vec![alter_column::key(&self.table, &self.column)]
    }

    fn check(&self, schema: &Schema, report: &mut Report) {
        let Some(column) = report.column(schema, &self.table, &self.column) else { return };
        if column.identity.is_some() {
            report.is_identity(&self.table, &self.column, "drop the identity first");
        }
        let key = schema.table(&self.table).and_then(Table::primary_key);
        if let Some(key) = key.filter(|key| key.kind.involves(self.column.as_str())) {
            report.in_primary_key(&self.table, &self.column, &key.name);
        }
    }

    fn apply(&self, schema: &mut Schema, _origin: &Origin) {
        alter_column::change(schema, &self.table, &self.column, |column| column.not_null = false);
    }

    fn effects(&self, _schema: &Schema) -> Effects {
        Effects::lock(&self.table, LockMode::AccessExclusive)
    }

    fn inverse(&self, before: &Schema) -> Inverse {
        if !alter_column::before(before, &self.table, &self.column)?.not_null {
            return Ok(Vec::new());
        }
        Ok(vec![SetNotNull { table: self.table.clone(), column: self.column.clone() }.into()])
    }

    fn render(&self) -> Vec<String> {
        alter_column::sql(&self.table, &self.column, "drop not null")
    }
}
