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
use crate::effects::Effects;
use crate::name::{Name, QualifiedName};
use crate::operation::{Inverse, Operate, Operation};
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
    /// `alter table only`: the tables below keep theirs.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub only: bool,
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
        let parent = schema.parent_with_column(&self.table, self.column.as_str());
        let parent = parent.filter(|parent| schema.column(parent, self.column.as_str()).is_some_and(|column| column.not_null));
        if let Some(parent) = parent {
            report.not_null_in_parent(&self.table, &self.column, parent);
            return;
        }
        if column.identity.is_some() {
            report.is_identity(&self.table, &self.column, "drop the identity first");
        }
        let key = schema.table(&self.table).and_then(Table::primary_key);
        if let Some(key) = key.filter(|key| key.kind.involves(self.column.as_str())) {
            report.in_primary_key(&self.table, &self.column, &key.name);
        }
    }

    fn apply(&self, schema: &mut Schema, _origin: &Origin) {
        alter_column::change_all(schema, &self.table, &self.column, self.only, |column| {
            column.not_null = false;
            column.unvalidated = None;
        });
    }

    fn effects(&self, schema: &Schema) -> Effects {
        alter_column::lock(schema, &self.table, self.only)
    }

    fn inverse(&self, before: &Schema) -> Inverse {
        let was = alter_column::before(before, &self.table, &self.column)?.not_null;
        let others = alter_column::different_below(before, &self.table, &self.column, self.only, |column| column.not_null);
        let own = SetNotNull { table: self.table.clone(), column: self.column.clone(), only: self.only };
        let restore = |(table, not_null): (QualifiedName, bool)| -> Operation {
            let (column, only) = (self.column.clone(), true);
            if not_null { SetNotNull { table, column, only }.into() } else { Self { table, column, only }.into() }
        };
        let own = was.then(|| own.into());
        Ok(own.into_iter().chain(others.into_iter().map(restore)).collect())
    }

    fn render(&self) -> Vec<String> {
        alter_column::sql_of(&self.table, self.only, &self.column, "drop not null")
    }
}
