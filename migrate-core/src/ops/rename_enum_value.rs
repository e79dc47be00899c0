//! `alter type … rename value`.
//!
//! - **SQL**: `alter type status rename value 'draft' to 'in progress'`
//! - **Lock**: none
//! - **Rewrites**: nothing; rows and defaults follow, since they store the value's number
//! - **Transaction**: inside
//! - **Undo**: the reverse rename
//! - **Since**: PostgreSQL 13
//! - **Source**: PostgreSQL manual, `ALTER TYPE`

use crate::effects::Effects;
use crate::name::{Name, QualifiedName, quote_literal};
use crate::operation::{Inverse, Operate};
use crate::report::Report;
use crate::schema::{ObjectKey, Origin, Schema};
use serde::{Deserialize, Serialize};

/// Renames a value of an enum type.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RenameEnumValue {
    /// The type.
    pub name: QualifiedName,
    /// The label.
    pub from: Name,
    /// Its new text.
    pub to: Name,
}

impl Operate for RenameEnumValue {
    fn describe(&self) -> String {
        format!("rename value `{}` of type `{}` to `{}`", self.from, self.name, self.to)
    }

    fn requires(&self) -> Vec<ObjectKey> {
        Vec::new()
    }

    fn touches(&self) -> Vec<ObjectKey> {
        vec![ObjectKey::Type(self.name.clone())]
    }

    fn check(&self, schema: &Schema, report: &mut Report) {
        report.check_label(&self.to);
        if !report.needs_enum(schema, &self.name) || !report.needs_label(schema, &self.name, &self.from) {
            return;
        }
        if schema.enums.get(&self.name).is_some_and(|enum_type| enum_type.labels.iter().any(|label| *label == self.to.as_str())) {
            report.label_exists(&self.name, &self.to);
        }
    }

    fn apply(&self, schema: &mut Schema, _origin: &Origin) {
        let Some(enum_type) = schema.enums.get_mut(&self.name) else { return };
        let Some(label) = enum_type.labels.iter_mut().find(|label| **label == self.from.as_str()) else { return };
        self.to.as_str().clone_into(label);
        schema.follow_label_rename(&self.name, self.from.as_str(), self.to.as_str());
    }

    fn effects(&self, _schema: &Schema) -> Effects {
        Effects { breaks_readers: true, ..Effects::default() }
    }

    fn inverse(&self, _before: &Schema) -> Inverse {
        Ok(vec![Self { name: self.name.clone(), from: self.to.clone(), to: self.from.clone() }.into()])
    }

    fn render(&self) -> Vec<String> {
        let (from, to) = (quote_literal(self.from.as_str()), quote_literal(self.to.as_str()));
        vec![format!("alter type {} rename value {from} to {to}", self.name.quoted())]
    }
}

#[cfg(feature = "parser")]
mod lower {
    use super::RenameEnumValue;
    use crate::lower::syntax;
    use crate::name::QualifiedName;
    use squawk_syntax::ast;

    impl RenameEnumValue {
        pub(crate) fn lower(name: &QualifiedName, action: &ast::RenameValue) -> Option<Self> {
            Some(Self { name: name.clone(), from: syntax::label(&action.from()?)?, to: syntax::label(&action.to()?)? })
        }
    }
}
