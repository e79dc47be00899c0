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

/// Renames a type. Of enums the model knows the definition, of other types the name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RenameType {
    /// The type.
    pub name: QualifiedName,
    /// Its new name, in the same schema.
    pub to: Name,
}

impl RenameType {
    fn target(&self) -> QualifiedName {
        self.name.sibling(self.to.clone())
    }
}

impl Operate for RenameType {
    fn describe(&self) -> String {
        format!("rename type `{}` to `{}`", self.name, self.to)
    }

    fn requires(&self) -> Vec<ObjectKey> {
        Vec::new()
    }

    fn touches(&self) -> Vec<ObjectKey> {
        vec![ObjectKey::Enum(self.name.clone()), ObjectKey::Enum(self.target())]
    }

    fn check(&self, schema: &Schema, report: &mut Report) {
        report.check_length([&self.to]);
        if report.needs_type_name(schema, &self.name) {
            report.type_is_free(schema, &self.target());
        }
    }

    fn apply(&self, schema: &mut Schema, origin: &Origin) {
        let target = self.target();
        if let Some(enum_type) = schema.enums.remove(&self.name) {
            schema.enums.insert(target.clone(), enum_type);
        } else if let Some(other) = schema.others.remove(&self.name) {
            schema.others.insert(target.clone(), other);
        } else {
            return;
        }
        schema.follow_type_rename(&self.name, &target);
        schema.record_departure(ObjectKey::Enum(self.name.clone()), Some(target.to_string()), origin);
    }

    fn effects(&self, _schema: &Schema) -> Effects {
        Effects { breaks_readers: true, ..Effects::default() }
    }

    fn inverse(&self, _before: &Schema) -> Inverse {
        Ok(vec![Self { name: self.target(), to: self.name.name.clone() }.into()])
    }

    fn render(&self) -> Vec<String> {
        vec![format!("alter type {} rename to {}", self.name.quoted(), self.to.quoted())]
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
            Some(Self { name: name.clone(), to })
        }
    }
}
