//! `alter table … alter column … drop expression`.
//!
//! - **SQL**: `alter table invoices alter column total drop expression`
//! - **Lock**: access exclusive on the table
//! - **Rewrites**: nothing: the computed values stay
//! - **Transaction**: inside
//! - **Undo**: none: PostgreSQL can't make a column generated that exists
//! - **Since**: PostgreSQL 13
//! - **Source**: PostgreSQL manual, `ALTER TABLE`, `DROP EXPRESSION`

use super::alter_column;
use crate::effects::Effects;
use crate::name::{Name, QualifiedName};
use crate::operation::{Inverse, NoInverse, Operate};
use crate::report::Report;
use crate::schema::{ObjectKey, Origin, Schema};
use serde::{Deserialize, Serialize};

/// Makes a stored generated column a plain one that keeps its values.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DropExpression {
    /// The table.
    pub table: QualifiedName,
    /// The column.
    pub column: Name,
    /// `if exists`: a column that isn't generated is no error.
    #[serde(default)]
    pub if_exists: bool,
}

impl Operate for DropExpression {
    fn describe(&self) -> String {
        format!("stop generating column `{}.{}`", self.table, self.column)
    }

    fn requires(&self) -> Vec<ObjectKey> {
        vec![ObjectKey::Table(self.table.clone())]
    }

    fn touches(&self) -> Vec<ObjectKey> {
        vec![alter_column::key(&self.table, &self.column)]
    }

    fn check(&self, schema: &Schema, report: &mut Report) {
        let Some(column) = report.column(schema, &self.table, &self.column) else { return };
        match &column.generated {
            Some(generated) if !generated.stored => {
                report.problem(self.column.at, format!("column `{}.{}` is virtual: it has no values to keep", self.table, self.column));
            }
            None if !self.if_exists => {
                report.problem(self.column.at, format!("column `{}.{}` is not a generated column", self.table, self.column));
            }
            _ => {}
        }
    }

    fn apply(&self, schema: &mut Schema, _origin: &Origin) {
        alter_column::change_all(schema, &self.table, &self.column, false, |column| column.generated = None);
    }

    fn effects(&self, schema: &Schema) -> Effects {
        alter_column::lock(schema, &self.table, false)
    }

    fn inverse(&self, before: &Schema) -> Inverse {
        if alter_column::before(before, &self.table, &self.column)?.generated.is_none() {
            return Ok(Vec::new());
        }
        Err(NoInverse::because("PostgreSQL can't make a column generated that exists"))
    }

    fn render(&self) -> Vec<String> {
        alter_column::sql(&self.table, &self.column, "drop expression")
    }
}
