//! `alter schema … rename to`.
//!
//! - **SQL**: `alter schema billing rename to invoicing`
//! - **Lock**: none on what is in it
//! - **Rewrites**: nothing; what refers to something in it follows, but for the texts of functions
//! - **Transaction**: inside
//! - **Undo**: the reverse rename
//! - **Since**: PostgreSQL 13
//! - **Source**: PostgreSQL manual, `ALTER SCHEMA`

use crate::effects::Effects;
use crate::name::{DEFAULT_SCHEMA, Name};
use crate::operation::{Inverse, NoInverse, Operate};
use crate::report::Report;
use crate::schema::{ObjectKey, Origin, Schema};
use serde::{Deserialize, Serialize};

/// Renames a schema.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RenameSchema {
    /// The schema.
    pub name: Name,
    /// Its new name.
    pub to: Name,
}

impl Operate for RenameSchema {
    fn describe(&self) -> String {
        format!("rename schema `{}` to `{}`", self.name, self.to)
    }

    fn requires(&self) -> Vec<ObjectKey> {
        Vec::new()
    }

    fn touches(&self) -> Vec<ObjectKey> {
        vec![ObjectKey::Schema(self.name.clone()), ObjectKey::Schema(self.to.clone())]
    }

    fn check(&self, schema: &Schema, report: &mut Report) {
        report.check_length([&self.to]);
        if self.name.as_str() == DEFAULT_SCHEMA {
            report.problem(self.name.at, format!("schema `{}` is where names without a schema are looked for", self.name)).help =
                Some("move what is in it to another schema, with `alter table … set schema` and the like".to_owned());
            return;
        }
        if !report.needs_schema(schema, &self.name) {
            report.forgive(ObjectKey::Schema(self.to.clone()));
        } else if self.to.as_str() == DEFAULT_SCHEMA || schema.schemas.contains_key(&self.to) {
            report.already_exists(schema, &ObjectKey::Schema(self.to.clone()), self.to.at);
        }
    }

    fn apply(&self, schema: &mut Schema, origin: &Origin) {
        if schema.rename_schema(&self.name, &self.to, origin) {
            schema.record_departure(ObjectKey::Schema(self.name.clone()), Some(self.to.to_string()), origin);
        }
    }

    fn effects(&self, _schema: &Schema) -> Effects {
        Effects { breaks_readers: true, ..Effects::default() }
    }

    fn inverse(&self, before: &Schema) -> Inverse {
        if !before.schemas.contains_key(&self.name) {
            return Err(NoInverse::because(format!("nothing is known of schema `{}`", self.name)));
        }
        Ok(vec![Self { name: self.to.clone(), to: self.name.clone() }.into()])
    }

    fn render(&self) -> Vec<String> {
        vec![format!("alter schema {} rename to {}", self.name.quoted(), self.to.quoted())]
    }
}

#[cfg(feature = "parser")]
mod lower {
    use super::RenameSchema;
    use crate::lower::syntax;
    use squawk_syntax::ast;

    impl RenameSchema {
        pub(crate) fn lower(statement: &ast::AlterSchema, action: &ast::SchemaRenameTo) -> Option<Self> {
            Some(Self { name: syntax::name(&statement.schema_ref()?), to: syntax::name(&action.schema()?) })
        }
    }
}
