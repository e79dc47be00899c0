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
use crate::effects::Effects;
use crate::expression::Expression;
use crate::name::{Name, QualifiedName};
use crate::operation::{Inverse, Operate, Operation};
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
    /// `alter table only`: the tables below keep theirs.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub only: bool,
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
        alter_column::change_all(schema, &self.table, &self.column, self.only, |column| {
            column.default_null = DefaultNull(self.default.is_null());
            column.default = Some(self.default.clone()).filter(|default| !default.is_null());
        });
    }

    fn effects(&self, schema: &Schema) -> Effects {
        alter_column::lock(schema, &self.table, self.only)
    }

    fn inverse(&self, before: &Schema) -> Inverse {
        restore(before, &self.table, &self.column, self.only, Some(&self.default))
    }

    fn render(&self) -> Vec<String> {
        alter_column::sql_of(&self.table, self.only, &self.column, &format!("set default {}", self.default.sql()))
    }
}

/// What gives a column and those below the defaults that they had, after they were given `after`.
pub(super) fn restore(before: &Schema, table: &QualifiedName, column: &Name, only: bool, after: Option<&Expression>) -> Inverse {
    let own = alter_column::before(before, table, column)?;
    let restored = |table: &QualifiedName, old: &Column, only: bool| -> Operation {
        let (table, column) = (table.clone(), column.clone());
        match &old.default {
            Some(default) => SetDefault { table, column, default: default.clone(), only }.into(),
            None if old.default_null.0 => SetDefault { table, column, default: Expression::new("null"), only }.into(),
            None => DropDefault { table, column, only }.into(),
        }
    };
    let others = alter_column::different_below(before, table, column, only, |column| column.default.as_ref());
    let is_null = after.is_some_and(Expression::is_null);
    let unchanged = own.default.as_ref() == after.filter(|after| !after.is_null()) && (is_null || !own.default_null.0);
    if others.is_empty() && unchanged {
        return Ok(Vec::new());
    }
    let mut operations = vec![restored(table, own, only)];
    let others = others.into_iter().filter_map(|(table, _)| Some((before.column(&table, column.as_str())?, table)));
    operations.extend(others.map(|(old, table)| restored(&table, old, true)));
    Ok(operations)
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
        pub(crate) fn lower(table: &QualifiedName, column: Name, only: bool, action: &ast::SetDefault) -> Option<Operation> {
            Some(Self { table: table.clone(), column, default: syntax::expression(&action.expr()?), only }.into())
        }
    }
}
