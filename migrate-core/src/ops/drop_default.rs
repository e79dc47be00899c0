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
use crate::effects::Effects;
use crate::name::{Name, QualifiedName};
use crate::operation::{Inverse, Operate};
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
    /// `alter table only`: the tables below keep theirs.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub only: bool,
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
        alter_column::change_all(schema, &self.table, &self.column, self.only, |column| {
            column.default = None;
            column.default_null = DefaultNull::default();
        });
    }

    fn effects(&self, schema: &Schema) -> Effects {
        alter_column::lock(schema, &self.table, self.only)
    }

    fn inverse(&self, before: &Schema) -> Inverse {
        set_default::restore(before, &self.table, &self.column, self.only, None)
    }

    fn render(&self) -> Vec<String> {
        alter_column::sql_of(&self.table, self.only, &self.column, "drop default")
    }
}
