//! `alter table … alter column … set not null`.
//!
//! - **SQL**: `alter table documents alter column title set not null`
//! - **Lock**: access exclusive on the table
//! - **Rewrites**: nothing; the table is read whole, unless a valid check constraint says `is not null` already
//! - **Transaction**: inside
//! - **Undo**: `drop not null`
//! - **Since**: PostgreSQL 13
//! - **Source**: PostgreSQL manual, `ALTER TABLE`, `SET NOT NULL`

use super::alter_column;
use crate::effects::{Effects, LockMode};
use crate::expression::Expression;
use crate::name::{Name, QualifiedName};
use crate::operation::{Inverse, Operate, Operation};
use crate::ops::DropNotNull;
use crate::report::Report;
use crate::schema::{ConstraintKind, ObjectKey, Origin, Schema, Table};
use serde::{Deserialize, Serialize};

/// Demands a value in every row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetNotNull {
    /// The table.
    pub table: QualifiedName,
    /// The column.
    pub column: Name,
    /// `alter table only`: the tables below keep theirs.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub only: bool,
}

impl SetNotNull {
    /// Whether a constraint proves already that no row has a null: then PostgreSQL reads none. Where a `not null` isn't validated,
    /// it is, whatever is proven.
    fn is_proven(&self, table: &Table) -> bool {
        let found = table.column(self.column.as_str());
        if found.is_some_and(|column| column.not_null_unvalidated().is_some()) {
            return false;
        }
        let proof = Expression::new(format!("{} is not null", self.column.quoted()));
        found.is_some_and(|column| column.not_null)
            || table.constraints.values().any(|constraint| match &constraint.kind {
                ConstraintKind::Check { expression, .. } => constraint.validated && expression.conjuncts().contains(&proof),
                _ => false,
            })
    }
}

impl Operate for SetNotNull {
    fn describe(&self) -> String {
        format!("set column `{}.{}` not null", self.table, self.column)
    }

    fn requires(&self) -> Vec<ObjectKey> {
        vec![ObjectKey::Table(self.table.clone())]
    }

    fn touches(&self) -> Vec<ObjectKey> {
        vec![alter_column::key(&self.table, &self.column)]
    }

    fn check(&self, schema: &Schema, report: &mut Report) {
        report.column(schema, &self.table, &self.column);
    }

    fn apply(&self, schema: &mut Schema, _origin: &Origin) {
        alter_column::change_all(schema, &self.table, &self.column, self.only, |column| {
            column.not_null = true;
            column.unvalidated = None;
        });
    }

    fn effects(&self, schema: &Schema) -> Effects {
        let below = if self.only { Vec::new() } else { schema.descendants(&self.table) };
        std::iter::once(&self.table).chain(&below).fold(Effects::default(), |effects, table| {
            let effects = effects.and_lock(table, LockMode::AccessExclusive);
            if schema.table(table).is_some_and(|table| self.is_proven(table)) { effects } else { effects.and_scan(table) }
        })
    }

    fn inverse(&self, before: &Schema) -> Inverse {
        let was = alter_column::before(before, &self.table, &self.column)?.not_null;
        let others = alter_column::different_below(before, &self.table, &self.column, self.only, |column| column.not_null);
        let own = DropNotNull { table: self.table.clone(), column: self.column.clone(), only: self.only };
        let restore = |(table, not_null): (QualifiedName, bool)| -> Operation {
            let (column, only) = (self.column.clone(), true);
            if not_null { Self { table, column, only }.into() } else { DropNotNull { table, column, only }.into() }
        };
        let own = (!was).then(|| own.into());
        Ok(own.into_iter().chain(others.into_iter().map(restore)).collect())
    }

    fn render(&self) -> Vec<String> {
        alter_column::sql_of(&self.table, self.only, &self.column, "set not null")
    }
}
