//! `alter table … alter column … add generated … as identity`.
//!
//! - **SQL**: `alter table documents alter column id add generated always as identity`
//! - **Lock**: access exclusive on the table
//! - **Rewrites**: nothing: rows that are there keep their values, and the sequence doesn't know them
//! - **Transaction**: inside
//! - **Undo**: `drop identity`
//! - **Since**: PostgreSQL 13
//! - **Source**: PostgreSQL manual, `ALTER TABLE`, `ADD GENERATED`

use super::alter_column;
use crate::effects::{Effects, LockMode};
use crate::name::{Name, QualifiedName};
use crate::naming;
use crate::operation::{Inverse, Operate};
use crate::ops::DropIdentity;
use crate::render;
use crate::report::Report;
use crate::schema::{Identity, ObjectKey, Origin, Schema};
use serde::{Deserialize, Serialize};

/// Makes a column an identity, with a sequence of its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddIdentity {
    /// The table.
    pub table: QualifiedName,
    /// The column.
    pub column: Name,
    /// The identity; its sequence is named once bound.
    pub identity: Identity,
}

impl Operate for AddIdentity {
    fn describe(&self) -> String {
        format!("make column `{}.{}` an identity", self.table, self.column)
    }

    fn requires(&self) -> Vec<ObjectKey> {
        vec![ObjectKey::Table(self.table.clone())]
    }

    fn touches(&self) -> Vec<ObjectKey> {
        vec![alter_column::key(&self.table, &self.column)]
    }

    fn bind(&mut self, schema: &Schema) {
        if self.identity.sequence.as_str().is_empty() {
            self.identity.sequence = naming::sequence(schema, &self.table, self.column.as_str());
        }
    }

    fn check(&self, schema: &Schema, report: &mut Report) {
        let Some(column) = report.column(schema, &self.table, &self.column) else { return };
        if column.identity.is_some() {
            report.is_identity(&self.table, &self.column, "write `set generated` to change it");
            return;
        }
        report.check_identity(&self.table, column, self.column.at);
        if !column.not_null {
            report.problem(self.column.at, format!("column `{}.{}` may be null, and can't be an identity", self.table, self.column)).help =
                Some("set it `not null` first".to_owned());
        }
    }

    fn apply(&self, schema: &mut Schema, _origin: &Origin) {
        alter_column::change(schema, &self.table, &self.column, |column| column.identity = Some(self.identity.clone()));
    }

    fn effects(&self, _schema: &Schema) -> Effects {
        Effects::lock(&self.table, LockMode::AccessExclusive)
    }

    fn inverse(&self, before: &Schema) -> Inverse {
        if alter_column::before(before, &self.table, &self.column)?.identity.is_some() {
            return Ok(Vec::new());
        }
        Ok(vec![DropIdentity { table: self.table.clone(), column: self.column.clone(), if_exists: false }.into()])
    }

    fn render(&self) -> Vec<String> {
        let identity = render::identity(&self.table, &self.column, &self.identity);
        alter_column::sql(&self.table, &self.column, &format!("add {identity}"))
    }
}

#[cfg(feature = "parser")]
mod lower {
    use super::AddIdentity;
    use crate::lower::columns;
    use crate::name::{Name, QualifiedName};
    use squawk_syntax::ast;

    impl AddIdentity {
        pub(crate) fn lower(table: &QualifiedName, column: Name, action: &ast::AddGenerated) -> Option<Self> {
            let identity = columns::identity(&action.generated_when()?, action.sequence_option_list())?;
            Some(Self { table: table.clone(), column, identity })
        }
    }
}
