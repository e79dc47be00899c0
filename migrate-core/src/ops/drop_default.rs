//! `alter table … alter column … drop default`.
//!
//! - **SQL**: `alter table documents alter column status drop default`
//! - **Lock**: access exclusive on the table
//! - **Rewrites**: nothing: rows that are there keep their values
//! - **Transaction**: inside
//! - **Undo**: `set default`
//! - **Since**: PostgreSQL 13
//! - **Source**: PostgreSQL manual, `ALTER TABLE`, `DROP DEFAULT`

use super::{alter_column, set_default};
use crate::effects::{Effects, LockMode};
use crate::name::{Name, QualifiedName};
use crate::operation::{Inverse, Operate};
use crate::ops::SetDefault;
use crate::report::Report;
use crate::schema::{DefaultNull, ObjectKey, Origin, Schema};
use serde::{Deserialize, Serialize};

/// Leaves a column without a default. The sequence of a serial column stays.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DropDefault {
    /// The table.
    pub table: QualifiedName,
    /// The column.
    pub column: Name,
}

impl Operate for DropDefault {
    fn describe(&self) -> String {
        format!("drop the default of `{}.{}`", self.table, self.column)
    }

    fn requires(&self) -> Vec<ObjectKey> {
        vec![ObjectKey::Table(self.table.clone())]
    }

    fn touches(&self) -> Vec<ObjectKey> {
        vec![alter_column::key(&self.table, &self.column)]
    }

    fn check(&self, schema: &Schema, report: &mut Report) {
        if let Some(column) = report.column(schema, &self.table, &self.column) {
            set_default::check(&self.table, &self.column, column, report);
        }
    }

    fn apply(&self, schema: &mut Schema, _origin: &Origin) {
        alter_column::change(schema, &self.table, &self.column, |column| {
            column.default = None;
            column.default_null = DefaultNull::default();
        });
    }

    fn effects(&self, _schema: &Schema) -> Effects {
        Effects::lock(&self.table, LockMode::AccessExclusive)
    }

    fn inverse(&self, before: &Schema) -> Inverse {
        let column = alter_column::before(before, &self.table, &self.column)?;
        let Some(default) = column.default.clone() else { return Ok(Vec::new()) };
        Ok(vec![SetDefault { table: self.table.clone(), column: self.column.clone(), default }.into()])
    }

    fn render(&self) -> Vec<String> {
        alter_column::sql(&self.table, &self.column, "drop default")
    }
}
