//! `alter view … rename to`.
//!
//! - **SQL**: `alter view published rename to published_documents`
//! - **Lock**: access exclusive on the view
//! - **Rewrites**: nothing; views that read it follow
//! - **Transaction**: inside
//! - **Undo**: the reverse rename
//! - **Since**: PostgreSQL 13
//! - **Source**: PostgreSQL manual, `ALTER VIEW`, `ALTER MATERIALIZED VIEW`

use crate::effects::{Effects, LockMode};
use crate::name::{Name, QualifiedName};
use crate::operation::{Inverse, Operate};
use crate::report::Report;
use crate::schema::{ObjectKey, Origin, Schema};
use serde::{Deserialize, Serialize};

/// Renames a view.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RenameView {
    /// The view.
    pub name: QualifiedName,
    /// Its new name, in the same schema.
    pub to: Name,
    /// `materialized`.
    #[serde(default)]
    pub materialized: bool,
}

impl RenameView {
    fn target(&self) -> QualifiedName {
        self.name.sibling(self.to.clone())
    }

    fn kind(&self) -> &'static str {
        if self.materialized { "materialized view" } else { "view" }
    }
}

impl Operate for RenameView {
    fn describe(&self) -> String {
        format!("rename {} `{}` to `{}`", self.kind(), self.name, self.to)
    }

    fn requires(&self) -> Vec<ObjectKey> {
        Vec::new()
    }

    fn touches(&self) -> Vec<ObjectKey> {
        vec![ObjectKey::View(self.name.clone()), ObjectKey::View(self.target())]
    }

    fn check(&self, schema: &Schema, report: &mut Report) {
        if report.needs_view(schema, &self.name, self.materialized) {
            report.relation_is_free(schema, &ObjectKey::View(self.target()), &self.target());
        }
    }

    fn apply(&self, schema: &mut Schema, origin: &Origin) {
        let target = self.target();
        let Some(view) = schema.views.remove(&self.name) else { return };
        schema.views.insert(target.clone(), view);
        schema.follow_relation_rename(&self.name, &target);
        schema.move_triggers(&self.name, &target);
        schema.record_departure(ObjectKey::View(self.name.clone()), Some(target.to_string()), origin);
    }

    fn effects(&self, _schema: &Schema) -> Effects {
        Effects { breaks_readers: true, ..Effects::lock(&self.name, LockMode::AccessExclusive) }
    }

    fn inverse(&self, _before: &Schema) -> Inverse {
        Ok(vec![Self { name: self.target(), to: self.name.name.clone(), materialized: self.materialized }.into()])
    }

    fn render(&self) -> Vec<String> {
        vec![format!("alter {} {} rename to {}", self.kind(), self.name.quoted(), self.to.quoted())]
    }
}

#[cfg(feature = "parser")]
mod lower {
    use super::RenameView;
    use crate::lower::syntax;
    use squawk_syntax::ast;

    impl RenameView {
        pub(crate) fn lower(view: &ast::ViewRef, action: &ast::ViewRenameTo, materialized: bool) -> Option<Self> {
            Some(Self { name: syntax::path_ref(&view.path_ref()?)?, to: syntax::path(&action.view()?.path()?)?.name, materialized })
        }
    }
}
