//! `alter type … rename to`.
//!
//! - **SQL**: `alter type status rename to document_status`
//! - **Lock**: none
//! - **Rewrites**: nothing; columns of the type follow
//! - **Transaction**: inside
//! - **Undo**: the reverse rename
//! - **Since**: PostgreSQL 13
//! - **Source**: PostgreSQL manual, `ALTER TYPE`

use crate::effects::Effects;
use crate::name::{Name, QualifiedName};
use crate::operation::{Inverse, Operate};
use crate::report::Report;
use crate::schema::{ObjectKey, Origin, Schema};
use serde::{Deserialize, Serialize};

/// Renames a type.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RenameType {
    /// The type.
    pub name: QualifiedName,
    /// Its new name, in the same schema.
    pub to: Name,
    /// `alter domain`.
    #[serde(default)]
    pub domain: bool,
}

/// Whether it is called a type or a domain.
pub(super) fn kind(domain: bool) -> &'static str {
    if domain { "domain" } else { "type" }
}

/// Reports a type or a domain that nobody created. The answer says whether it is known.
pub(super) fn needs(schema: &Schema, name: &QualifiedName, domain: bool, report: &mut Report) -> bool {
    if domain { report.needs_domain(schema, name) } else { report.needs_type_name(schema, name) }
}

impl RenameType {
    fn target(&self) -> QualifiedName {
        self.name.sibling(self.to.clone())
    }
}

impl Operate for RenameType {
    fn describe(&self) -> String {
        format!("rename {} `{}` to `{}`", kind(self.domain), self.name, self.to)
    }

    fn requires(&self) -> Vec<ObjectKey> {
        Vec::new()
    }

    fn touches(&self) -> Vec<ObjectKey> {
        vec![ObjectKey::Type(self.name.clone()), ObjectKey::Type(self.target())]
    }

    fn check(&self, schema: &Schema, report: &mut Report) {
        report.check_length([&self.to]);
        if needs(schema, &self.name, self.domain, report) {
            report.type_is_free(schema, &self.target());
        }
    }

    fn apply(&self, schema: &mut Schema, origin: &Origin) {
        schema.move_type(&self.name, &self.target(), origin);
    }

    fn effects(&self, _schema: &Schema) -> Effects {
        Effects { breaks_readers: true, ..Effects::default() }
    }

    fn inverse(&self, _before: &Schema) -> Inverse {
        Ok(vec![Self { name: self.target(), to: self.name.name.clone(), domain: self.domain }.into()])
    }

    fn render(&self) -> Vec<String> {
        vec![format!("alter {} {} rename to {}", kind(self.domain), self.name.quoted(), self.to.quoted())]
    }
}

#[cfg(feature = "parser")]
mod lower {
    use super::RenameType;
    use crate::lower::syntax;
    use crate::name::QualifiedName;
    use squawk_syntax::ast;

    impl RenameType {
        pub(crate) fn lower(name: &QualifiedName, action: &ast::TypeRenameTo) -> Option<Self> {
            let to = syntax::path(&action.type_name()?.path()?)?.name;
            Some(Self { name: name.clone(), to, domain: false })
        }
    }
}
