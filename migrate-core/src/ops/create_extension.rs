//! `create extension`.
//!
//! - **SQL**: `create extension if not exists pgcrypto`
//! - **Lock**: none
//! - **Rewrites**: nothing
//! - **Transaction**: inside
//! - **Undo**: `drop extension`
//! - **Since**: PostgreSQL 13
//! - **Source**: PostgreSQL manual, `CREATE EXTENSION`

use crate::effects::Effects;
use crate::name::{Name, quote_literal};
use crate::operation::{Inverse, Operate};
use crate::ops::DropExtension;
use crate::report::Report;
use crate::schema::{Extension, ObjectKey, Origin, Schema};
use serde::{Deserialize, Serialize};
use std::fmt::Write as _;

/// Installs an extension. What it brings has no definition in the model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreateExtension {
    /// The extension.
    pub name: Name,
    /// `schema`.
    #[serde(default)]
    pub schema: Option<Name>,
    /// `version`.
    #[serde(default)]
    pub version: Option<String>,
    /// `cascade`: the extensions that it needs are installed, too.
    #[serde(default)]
    pub cascade: bool,
    /// `if not exists`.
    #[serde(default)]
    pub if_not_exists: bool,
}

impl Operate for CreateExtension {
    fn describe(&self) -> String {
        format!("create extension `{}`", self.name)
    }

    fn requires(&self) -> Vec<ObjectKey> {
        self.schema.iter().map(|name| ObjectKey::Schema(name.clone())).collect()
    }

    fn touches(&self) -> Vec<ObjectKey> {
        vec![ObjectKey::Extension(self.name.clone())]
    }

    fn check(&self, schema: &Schema, report: &mut Report) {
        let system = |name: &Name| name.as_str() == "pg_catalog";
        if let Some(name) = self.schema.as_ref().filter(|name| !system(name)) {
            report.needs_schema(schema, name);
        }
        if schema.extensions.contains_key(&self.name) && !self.if_not_exists {
            report.already_exists(schema, &ObjectKey::Extension(self.name.clone()), self.name.at);
        }
    }

    fn apply(&self, schema: &mut Schema, _origin: &Origin) {
        let extension = Extension { schema: self.schema.clone(), version: self.version.clone() };
        schema.extensions.get_or_insert_with(self.name.clone(), || extension);
    }

    fn effects(&self, _schema: &Schema) -> Effects {
        Effects::default()
    }

    fn inverse(&self, before: &Schema) -> Inverse {
        if before.extensions.contains_key(&self.name) {
            return Ok(Vec::new());
        }
        Ok(vec![DropExtension { name: self.name.clone(), cascade: false, if_exists: false }.into()])
    }

    fn render(&self) -> Vec<String> {
        let mut sql = format!("create extension {}", self.name.quoted());
        if let Some(schema) = &self.schema {
            let _ = write!(sql, " schema {}", schema.quoted());
        }
        if let Some(version) = &self.version {
            let _ = write!(sql, " version {}", quote_literal(version));
        }
        if self.cascade {
            sql.push_str(" cascade");
        }
        vec![sql]
    }
}

#[cfg(feature = "parser")]
mod lower {
    use super::CreateExtension;
    use crate::lower::syntax;
    use squawk_syntax::ast;

    impl CreateExtension {
        pub(crate) fn lower(statement: &ast::CreateExtension) -> Option<Self> {
            let version = match statement.extension_version_clause() {
                Some(clause) => Some(match clause.literal() {
                    Some(literal) => literal.string_value()?,
                    None => syntax::name(&clause.extension_version()?).as_str().to_owned(),
                }),
                None => None,
            };
            Some(Self {
                name: syntax::name(&statement.extension()?),
                schema: statement.extension_schema().and_then(|it| it.schema_ref()).map(|name| syntax::name(&name)),
                version,
                cascade: statement.cascade_token().is_some(),
                if_not_exists: statement.if_not_exists().is_some(),
            })
        }
    }
}
