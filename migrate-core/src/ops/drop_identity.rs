//! `alter table … alter column … drop identity`.
//!
//! - **SQL**: `alter table documents alter column id drop identity`
//! - **Lock**: access exclusive on the table
//! - **Rewrites**: nothing: rows that are there keep their values
//! - **Transaction**: inside
//! - **Undo**: `add generated`, and its sequence goes on behind the last value that is there
//! - **Since**: PostgreSQL 13
//! - **Source**: PostgreSQL manual, `ALTER TABLE`, `DROP IDENTITY`

use super::alter_column;
use crate::effects::{Effects, LockMode};
use crate::name::{Name, QualifiedName, quote_literal};
use crate::operation::{Inverse, Operate};
use crate::ops::{AddIdentity, Opaque};
use crate::report::Report;
use crate::schema::{Identity, ObjectKey, Origin, Schema};
use serde::{Deserialize, Serialize};

/// Makes an identity column a plain one, and drops its sequence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DropIdentity {
    /// The table.
    pub table: QualifiedName,
    /// The column.
    pub column: Name,
    /// `if exists`: a column that is no identity is no error.
    #[serde(default)]
    pub if_exists: bool,
}

impl Operate for DropIdentity {
    fn describe(&self) -> String {
        format!("drop the identity of `{}.{}`", self.table, self.column)
    }

    fn requires(&self) -> Vec<ObjectKey> {
        vec![ObjectKey::Table(self.table.clone())]
    }

    fn touches(&self) -> Vec<ObjectKey> {
        vec![alter_column::key(&self.table, &self.column)]
    }

    fn check(&self, schema: &Schema, report: &mut Report) {
        let Some(column) = report.column(schema, &self.table, &self.column) else { return };
        if column.identity.is_none() && !self.if_exists {
            report.is_no_identity(&self.table, &self.column);
        }
    }

    fn apply(&self, schema: &mut Schema, _origin: &Origin) {
        alter_column::change(schema, &self.table, &self.column, |column| column.identity = None);
    }

    fn effects(&self, _schema: &Schema) -> Effects {
        Effects::lock(&self.table, LockMode::AccessExclusive)
    }

    fn inverse(&self, before: &Schema) -> Inverse {
        let Some(identity) = alter_column::before(before, &self.table, &self.column)?.identity.clone() else { return Ok(Vec::new()) };
        let go_on = Opaque::on_table("select", go_on_behind_the_last(&self.table, &self.column, &identity), &self.table);
        Ok(vec![AddIdentity { table: self.table.clone(), column: self.column.clone(), identity }.into(), go_on.into()])
    }

    fn render(&self) -> Vec<String> {
        alter_column::sql(&self.table, &self.column, "drop identity")
    }
}

/// A new sequence starts at its first value, which rows have already: without this the next insert would fail.
fn go_on_behind_the_last(table: &QualifiedName, column: &Name, identity: &Identity) -> String {
    let sequence = quote_literal(&table.sibling(identity.sequence.clone()).quoted());
    let options = &identity.options;
    let descending = options.increment.is_some_and(|increment| increment < 0);
    let (last, possible) = if descending {
        (format!("min({})", column.quoted()), format!("<= {}", options.maximum.unwrap_or(-1)))
    } else {
        (format!("max({})", column.quoted()), format!(">= {}", options.minimum.unwrap_or(1)))
    };
    format!("select setval({sequence}, {last}) from {} having {last} {possible}", table.quoted())
}
