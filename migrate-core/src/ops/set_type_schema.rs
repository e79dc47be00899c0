//! `alter type … set schema`, `alter domain … set schema`.
//!
//! - **SQL**: `alter type status set schema app`
//! - **Lock**: none
//! - **Rewrites**: nothing; columns of the type follow
//! - **Transaction**: inside
//! - **Undo**: the way back
//! - **Since**: PostgreSQL 13
//! - **Source**: PostgreSQL manual, `ALTER TYPE`, `ALTER DOMAIN`

use super::rename_type;
use crate::effects::Effects;
use crate::name::{Name, QualifiedName};
use crate::operation::{Inverse, Operate};
use crate::report::Report;
use crate::schema::{ObjectKey, Origin, Schema};
use serde::{Deserialize, Serialize};

/// Moves a type to another schema.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetTypeSchema {
    /// The type.
    pub name: QualifiedName,
    /// The schema that it goes to.
    pub schema: Name,
    /// `alter domain`.
    #[serde(default)]
    pub domain: bool,
}

impl SetTypeSchema {
    fn target(&self) -> QualifiedName {
        QualifiedName { schema: self.schema.clone(), name: Name::written(self.name.name.as_str(), self.schema.at) }
    }
}

impl Operate for SetTypeSchema {
    fn describe(&self) -> String {
        format!("move {} `{}` to schema `{}`", rename_type::kind(self.domain), self.name, self.schema)
    }

    fn requires(&self) -> Vec<ObjectKey> {
        vec![ObjectKey::Schema(self.schema.clone())]
    }

    fn touches(&self) -> Vec<ObjectKey> {
        if self.schema == self.name.schema {
            return Vec::new();
        }
        vec![ObjectKey::Type(self.name.clone()), ObjectKey::Type(self.target())]
    }

    fn check(&self, schema: &Schema, report: &mut Report) {
        let known = rename_type::needs(schema, &self.name, self.domain, report);
        if !known {
            report.forgive(ObjectKey::Type(self.target()));
        }
        if report.needs_schema(schema, &self.schema) && known && self.schema != self.name.schema {
            report.type_is_free(schema, &self.target());
        }
    }

    fn apply(&self, schema: &mut Schema, origin: &Origin) {
        schema.move_type(&self.name, &self.target(), origin);
    }

    fn effects(&self, _schema: &Schema) -> Effects {
        Effects { breaks_readers: self.schema != self.name.schema, ..Effects::default() }
    }

    fn inverse(&self, _before: &Schema) -> Inverse {
        if self.schema == self.name.schema {
            return Ok(Vec::new());
        }
        Ok(vec![Self { name: self.target(), schema: self.name.schema.clone(), domain: self.domain }.into()])
    }

    fn render(&self) -> Vec<String> {
        vec![format!("alter {} {} set schema {}", rename_type::kind(self.domain), self.name.quoted(), self.schema.quoted())]
    }
}

#[cfg(feature = "parser")]
mod lower {
    use super::SetTypeSchema;
    use crate::lower::syntax;
    use crate::name::QualifiedName;
    use squawk_syntax::ast;

    impl SetTypeSchema {
        pub(crate) fn lower(name: &QualifiedName, action: &ast::SetSchema) -> Option<Self> {
            Some(Self { name: name.clone(), schema: syntax::name(&action.schema_ref()?), domain: false })
        }
    }
}
