//! `alter table … alter column … set default`.
//!
//! - **SQL**: `alter table documents alter column status set default 'new'`
//! - **Lock**: access exclusive on the table
//! - **Rewrites**: nothing: rows that are there keep their values
//! - **Transaction**: inside
//! - **Undo**: the previous default, or none
//! - **Since**: PostgreSQL 13
//! - **Source**: PostgreSQL manual, `ALTER TABLE`, `SET DEFAULT`

use super::alter_column;
use crate::effects::{Effects, LockMode};
use crate::expression::Expression;
use crate::name::{Name, QualifiedName};
use crate::operation::{Inverse, Operate};
use crate::ops::DropDefault;
use crate::report::Report;
use crate::schema::{Column, DefaultNull, ObjectKey, Origin, Schema};
use serde::{Deserialize, Serialize};

/// Gives new rows a value where none is written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetDefault {
    /// The table.
    pub table: QualifiedName,
    /// The column.
    pub column: Name,
    /// The default.
    pub default: Expression,
}

impl Operate for SetDefault {
    fn describe(&self) -> String {
        format!("set the default of `{}.{}`", self.table, self.column)
    }

    fn requires(&self) -> Vec<ObjectKey> {
        vec![ObjectKey::Table(self.table.clone())]
    }

    fn touches(&self) -> Vec<ObjectKey> {
        vec![alter_column::key(&self.table, &self.column)]
    }

    fn check(&self, schema: &Schema, report: &mut Report) {
        if let Some(column) = report.column(schema, &self.table, &self.column) {
            check(&self.table, &self.column, column, report);
        }
    }

    fn apply(&self, schema: &mut Schema, _origin: &Origin) {
        alter_column::change(schema, &self.table, &self.column, |column| {
            column.default_null = DefaultNull(self.default.is_null());
            column.default = Some(self.default.clone()).filter(|default| !default.is_null());
        });
    }

    fn effects(&self, _schema: &Schema) -> Effects {
        Effects::lock(&self.table, LockMode::AccessExclusive)
    }

    fn inverse(&self, before: &Schema) -> Inverse {
        let column = alter_column::before(before, &self.table, &self.column)?;
        let (table, name) = (self.table.clone(), self.column.clone());
        Ok(match &column.default {
            Some(default) if *default == self.default => Vec::new(),
            Some(default) => vec![Self { table, column: name, default: default.clone() }.into()],
            None if column.default_null.0 => vec![Self { table, column: name, default: Expression::new("null") }.into()],
            None if self.default.is_null() => Vec::new(),
            None => vec![DropDefault { table, column: name }.into()],
        })
    }

    fn render(&self) -> Vec<String> {
        alter_column::sql(&self.table, &self.column, &format!("set default {}", self.default.sql()))
    }
}

/// Reports a column that can't have a default.
pub(super) fn check(table: &QualifiedName, name: &Name, column: &Column, report: &mut Report) {
    if column.identity.is_some() {
        report.is_identity(table, name, "drop the identity first");
    }
    if column.generated.is_some() {
        report.is_generated(table, name, "write `drop expression` to keep its values and make it a plain column");
    }
}

#[cfg(feature = "parser")]
mod lower {
    use super::SetDefault;
    use crate::lower::syntax;
    use crate::name::{Name, QualifiedName};
    use crate::operation::Operation;
    use squawk_syntax::ast;

    impl SetDefault {
        /// `set default null` leaves no default, but what PostgreSQL prints isn't the same as after `drop default`.
        pub(crate) fn lower(table: &QualifiedName, column: Name, action: &ast::SetDefault) -> Option<Operation> {
            Some(Self { table: table.clone(), column, default: syntax::expression(&action.expr()?) }.into())
        }
    }
}
