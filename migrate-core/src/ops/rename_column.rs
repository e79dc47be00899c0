//! `alter table … rename column`.
//!
//! - **SQL**: `alter table documents rename column body to content`
//! - **Lock**: access exclusive on the table
//! - **Rewrites**: nothing
//! - **Transaction**: inside
//! - **Undo**: the other way round
//! - **Since**: PostgreSQL 13
//! - **Source**: PostgreSQL manual, `ALTER TABLE`, `RENAME COLUMN`

use super::alter_column;
use crate::checks;
use crate::effects::Effects;
use crate::name::{Name, QualifiedName};
use crate::operation::{Inverse, Operate};
use crate::report::Report;
use crate::schema::{ObjectKey, Origin, Schema};
use serde::{Deserialize, Serialize};

/// Gives a column another name, wherever constraints, indexes, views and foreign keys mention it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RenameColumn {
    /// The table.
    pub table: QualifiedName,
    /// The column.
    pub column: Name,
    /// Its new name.
    pub to: Name,
}

impl Operate for RenameColumn {
    fn describe(&self) -> String {
        format!("rename column `{}.{}` to `{}`", self.table, self.column, self.to)
    }

    fn requires(&self) -> Vec<ObjectKey> {
        vec![ObjectKey::Table(self.table.clone())]
    }

    fn touches(&self) -> Vec<ObjectKey> {
        vec![alter_column::key(&self.table, &self.column), alter_column::key(&self.table, &self.to)]
    }

    fn check(&self, schema: &Schema, report: &mut Report) {
        report.check_length([&self.to]);
        if report.column(schema, &self.table, &self.column).is_none() {
            report.forgive(alter_column::key(&self.table, &self.to));
        } else if !checks::own_column(schema, &self.table, &self.column, "rename", report) {
            return;
        }
        if schema.column(&self.table, self.to.as_str()).is_some() {
            report.already_exists(schema, &alter_column::key(&self.table, &self.to), self.to.at);
        }
    }

    fn apply(&self, schema: &mut Schema, origin: &Origin) {
        if schema.column(&self.table, self.to.as_str()).is_none() && schema.rename_column(&self.table, &self.column, &self.to) {
            for below in schema.descendants(&self.table) {
                schema.rename_column(&below, &self.column, &self.to);
            }
            schema.record_departure(alter_column::key(&self.table, &self.column), Some(self.to.to_string()), origin);
        }
    }

    fn effects(&self, schema: &Schema) -> Effects {
        Effects { breaks_readers: true, ..alter_column::lock(schema, &self.table, false) }
    }

    fn inverse(&self, _before: &Schema) -> Inverse {
        Ok(vec![Self { table: self.table.clone(), column: self.to.clone(), to: self.column.clone() }.into()])
    }

    fn render(&self) -> Vec<String> {
        vec![format!("alter table {} rename column {} to {}", self.table.quoted(), self.column.quoted(), self.to.quoted())]
    }
}

#[cfg(feature = "parser")]
mod lower {
    use super::RenameColumn;
    use crate::lower::syntax;
    use crate::name::QualifiedName;
    use squawk_syntax::ast;

    impl RenameColumn {
        pub(crate) fn lower(table: &QualifiedName, action: &ast::RenameColumn) -> Option<Self> {
            let column = syntax::name(&action.column_name_ref()?);
            Some(Self { table: table.clone(), column, to: syntax::name(&action.column_name()?) })
        }
    }
}
