//! `drop extension`.
//!
//! - **SQL**: `drop extension pgcrypto`
//! - **Lock**: none on tables; unknown with `cascade`, by which they may lose columns and indexes
//! - **Rewrites**: nothing
//! - **Transaction**: inside
//! - **Undo**: `create extension`
//! - **Since**: PostgreSQL 13
//! - **Source**: PostgreSQL manual, `DROP EXTENSION`

use crate::effects::Effects;
use crate::name::Name;
use crate::operation::{Inverse, NoInverse, Operate};
use crate::ops::CreateExtension;
use crate::report::Report;
use crate::schema::{ObjectKey, Origin, Schema};
use serde::{Deserialize, Serialize};

/// Removes an extension with everything that it brought.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DropExtension {
    /// The extension.
    pub name: Name,
    /// `cascade`: whatever uses it falls with it.
    #[serde(default)]
    pub cascade: bool,
    /// `if exists`.
    #[serde(default)]
    pub if_exists: bool,
}

impl Operate for DropExtension {
    fn describe(&self) -> String {
        format!("drop extension `{}`", self.name)
    }

    fn requires(&self) -> Vec<ObjectKey> {
        Vec::new()
    }

    fn touches(&self) -> Vec<ObjectKey> {
        vec![ObjectKey::Extension(self.name.clone())]
    }

    fn check(&self, schema: &Schema, report: &mut Report) {
        if !schema.extensions.contains_key(&self.name) && !self.if_exists {
            report.unknown(schema, &ObjectKey::Extension(self.name.clone()), self.name.at);
        }
    }

    fn apply(&self, schema: &mut Schema, origin: &Origin) {
        if schema.extensions.remove(&self.name).is_some() {
            schema.record_departure(ObjectKey::Extension(self.name.clone()), None, origin);
        }
    }

    fn effects(&self, _schema: &Schema) -> Effects {
        Effects { unknown: self.cascade, breaks_readers: true, loses_data: self.cascade, ..Effects::default() }
    }

    fn inverse(&self, before: &Schema) -> Inverse {
        if self.cascade {
            return Err(NoInverse::because(format!("what used extension `{}` falls with it", self.name)));
        }
        let Some(extension) = before.extensions.get(&self.name).cloned() else {
            return Err(NoInverse::because(format!("nothing is known of extension `{}`", self.name)));
        };
        let (schema, version) = (extension.schema, extension.version);
        Ok(vec![CreateExtension { name: self.name.clone(), schema, version, cascade: false, if_not_exists: false }.into()])
    }

    fn render(&self) -> Vec<String> {
        vec![format!("drop extension {}{}", self.name.quoted(), if self.cascade { " cascade" } else { "" })]
    }
}

#[cfg(feature = "parser")]
mod lower {
    use super::DropExtension;
    use crate::lower::syntax;
    use crate::operation::Operation;
    use squawk_syntax::ast;

    impl DropExtension {
        /// One operation an extension.
        pub(crate) fn lower(statement: &ast::DropExtension) -> Vec<Operation> {
            let cascade = matches!(statement.drop_behavior(), Some(ast::DropBehavior::Cascade(_)));
            let if_exists = statement.if_exists().is_some();
            statement.extension_refs().map(|name| Self { name: syntax::name(&name), cascade, if_exists }.into()).collect()
        }
    }
}
