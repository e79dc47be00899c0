//! `alter trigger … rename to`.
//!
//! - **SQL**: `alter trigger touch on documents rename to touch_updated_at`
//! - **Lock**: access exclusive on the relation
//! - **Rewrites**: nothing
//! - **Transaction**: inside
//! - **Undo**: the reverse rename
//! - **Since**: PostgreSQL 13
//! - **Source**: PostgreSQL manual, `ALTER TRIGGER`

use crate::effects::{Effects, LockMode};
use crate::name::{Name, QualifiedName};
use crate::operation::{Inverse, Operate};
use crate::report::Report;
use crate::schema::{ObjectKey, Origin, Schema};
use serde::{Deserialize, Serialize};

/// Renames a trigger. Triggers of one kind fire in the order of their names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RenameTrigger {
    /// The table, view or other relation.
    pub relation: QualifiedName,
    /// The trigger.
    pub name: Name,
    /// Its new name.
    pub to: Name,
}

impl RenameTrigger {
    fn key(&self, name: &Name) -> ObjectKey {
        ObjectKey::Trigger(self.relation.clone(), name.clone())
    }
}

impl Operate for RenameTrigger {
    fn describe(&self) -> String {
        format!("rename trigger `{}` on `{}` to `{}`", self.name, self.relation, self.to)
    }

    fn requires(&self) -> Vec<ObjectKey> {
        vec![ObjectKey::Table(self.relation.clone())]
    }

    fn touches(&self) -> Vec<ObjectKey> {
        vec![self.key(&self.name), self.key(&self.to)]
    }

    fn check(&self, schema: &Schema, report: &mut Report) {
        report.check_length([&self.to]);
        if !report.needs_relation(schema, &self.relation) {
            return;
        }
        if !report.needs_trigger(schema, &self.relation, &self.name) {
            report.forgive(self.key(&self.to));
        }
        if schema.trigger(&self.relation, &self.to).is_some() {
            report.already_exists(schema, &self.key(&self.to), self.to.at);
        }
    }

    fn apply(&self, schema: &mut Schema, origin: &Origin) {
        if schema.trigger(&self.relation, &self.to).is_none()
            && let Some(trigger) = schema.remove_trigger(&self.relation, &self.name)
        {
            schema.insert_trigger(&self.relation, &self.to, trigger);
            schema.record_departure(self.key(&self.name), Some(self.to.to_string()), origin);
        }
    }

    fn effects(&self, _schema: &Schema) -> Effects {
        Effects::lock(&self.relation, LockMode::AccessExclusive)
    }

    fn inverse(&self, _before: &Schema) -> Inverse {
        Ok(vec![Self { relation: self.relation.clone(), name: self.to.clone(), to: self.name.clone() }.into()])
    }

    fn render(&self) -> Vec<String> {
        vec![format!("alter trigger {} on {} rename to {}", self.name.quoted(), self.relation.quoted(), self.to.quoted())]
    }
}

#[cfg(feature = "parser")]
mod lower {
    use super::RenameTrigger;
    use crate::lower::syntax;
    use squawk_syntax::ast;

    impl RenameTrigger {
        /// `None` for `depends on extension`.
        pub(crate) fn lower(statement: &ast::AlterTrigger) -> Option<Self> {
            let Some(ast::AlterTriggerAction::TriggerRenameTo(to)) = statement.action() else { return None };
            let relation = syntax::path_ref(&statement.on_relation()?.relation_name_ref()?.path_ref()?)?;
            Some(Self { relation, name: syntax::name(&statement.trigger_ref()?), to: syntax::name(&to.trigger()?) })
        }
    }
}
