//! `alter sequence … rename to`.
//!
//! - **SQL**: `alter sequence invoice_numbers rename to invoice_seq`
//! - **Lock**: access exclusive on the sequence
//! - **Rewrites**: nothing; defaults follow
//! - **Transaction**: inside
//! - **Undo**: the reverse rename
//! - **Since**: PostgreSQL 13
//! - **Source**: PostgreSQL manual, `ALTER SEQUENCE`

use crate::effects::{Effects, LockMode};
use crate::name::{Name, QualifiedName};
use crate::operation::{Inverse, Operate};
use crate::report::Report;
use crate::schema::{ObjectKey, Origin, Schema};
use serde::{Deserialize, Serialize};

/// Renames a sequence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RenameSequence {
    /// The sequence.
    pub name: QualifiedName,
    /// Its new name, in the same schema.
    pub to: Name,
}

impl RenameSequence {
    fn target(&self) -> QualifiedName {
        self.name.sibling(self.to.clone())
    }
}

impl Operate for RenameSequence {
    fn describe(&self) -> String {
        format!("rename sequence `{}` to `{}`", self.name, self.to)
    }

    fn requires(&self) -> Vec<ObjectKey> {
        Vec::new()
    }

    fn touches(&self) -> Vec<ObjectKey> {
        vec![ObjectKey::Sequence(self.name.clone()), ObjectKey::Sequence(self.target())]
    }

    fn check(&self, schema: &Schema, report: &mut Report) {
        if report.needs_sequence(schema, &self.name) {
            report.relation_is_free(schema, &ObjectKey::Sequence(self.target()), &self.target());
        }
    }

    fn apply(&self, schema: &mut Schema, origin: &Origin) {
        let target = self.target();
        let Some(sequence) = schema.sequences.remove(&self.name) else { return };
        schema.sequences.insert(target.clone(), sequence);
        schema.follow_sequence_rename(&self.name, &target);
        schema.record_departure(ObjectKey::Sequence(self.name.clone()), Some(target.to_string()), origin);
    }

    fn effects(&self, _schema: &Schema) -> Effects {
        Effects { breaks_readers: true, ..Effects::lock(&self.name, LockMode::AccessExclusive) }
    }

    fn inverse(&self, _before: &Schema) -> Inverse {
        Ok(vec![Self { name: self.target(), to: self.name.name.clone() }.into()])
    }

    fn render(&self) -> Vec<String> {
        vec![format!("alter sequence {} rename to {}", self.name.quoted(), self.to.quoted())]
    }
}

#[cfg(feature = "parser")]
mod lower {
    use super::RenameSequence;
    use crate::lower::syntax;
    use crate::name::QualifiedName;
    use squawk_syntax::ast;

    impl RenameSequence {
        pub(crate) fn lower(name: &QualifiedName, action: &ast::SequenceRenameTo) -> Option<Self> {
            Some(Self { name: name.clone(), to: syntax::path(&action.sequence()?.path()?)?.name })
        }
    }
}
