//! `drop trigger`.
//!
//! - **SQL**: `drop trigger touch on documents`
//! - **Lock**: access exclusive on the relation
//! - **Rewrites**: nothing
//! - **Transaction**: inside
//! - **Undo**: `create trigger` as it was
//! - **Since**: PostgreSQL 13
//! - **Source**: PostgreSQL manual, `DROP TRIGGER`

use crate::effects::{Effects, LockMode};
use crate::name::{Name, QualifiedName};
use crate::operation::{Inverse, NoInverse, Operate};
use crate::ops::create_trigger;
use crate::report::Report;
use crate::schema::{ObjectKey, Origin, Schema};
use serde::{Deserialize, Serialize};

/// Drops a trigger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DropTrigger {
    /// The table, view or other relation.
    pub relation: QualifiedName,
    /// The trigger's name.
    pub name: Name,
    /// `if exists`.
    #[serde(default)]
    pub if_exists: bool,
    /// Once bound, whether nobody knows the trigger: then only the server can say what is to be done.
    #[serde(default)]
    pub unmodelled: bool,
}

impl DropTrigger {
    /// Drops the trigger of this name.
    #[must_use]
    pub fn new(relation: QualifiedName, name: Name) -> Self {
        Self { relation, name, if_exists: false, unmodelled: false }
    }
}

impl Operate for DropTrigger {
    fn describe(&self) -> String {
        format!("drop trigger `{}` on `{}`", self.name, self.relation)
    }

    fn requires(&self) -> Vec<ObjectKey> {
        vec![ObjectKey::Table(self.relation.clone())]
    }

    fn touches(&self) -> Vec<ObjectKey> {
        let key = ObjectKey::Trigger(self.relation.clone(), self.name.clone());
        Some(key).filter(|_| !self.unmodelled).into_iter().collect()
    }

    fn bind(&mut self, schema: &Schema) {
        self.unmodelled = schema.trigger(&self.relation, &self.name).is_none();
    }

    fn check(&self, schema: &Schema, report: &mut Report) {
        if report.needs_relation(schema, &self.relation) && !self.if_exists {
            report.needs_trigger(schema, &self.relation, &self.name);
        }
    }

    fn apply(&self, schema: &mut Schema, origin: &Origin) {
        if schema.remove_trigger(&self.relation, &self.name).is_some() {
            schema.record_departure(ObjectKey::Trigger(self.relation.clone(), self.name.clone()), None, origin);
        }
    }

    fn effects(&self, _schema: &Schema) -> Effects {
        Effects::lock(&self.relation, LockMode::AccessExclusive)
    }

    fn inverse(&self, before: &Schema) -> Inverse {
        match before.trigger(&self.relation, &self.name) {
            Some(trigger) => Ok(create_trigger::recreate(&self.relation, &self.name, trigger)),
            None if self.if_exists => Ok(Vec::new()),
            None => Err(NoInverse::because(format!("nothing is known of trigger `{}` on `{}`", self.name, self.relation))),
        }
    }

    fn render(&self) -> Vec<String> {
        let if_exists = if self.unmodelled && self.if_exists { "if exists " } else { "" };
        vec![format!("drop trigger {if_exists}{} on {}", self.name.quoted(), self.relation.quoted())]
    }
}

#[cfg(feature = "parser")]
mod lower {
    use super::DropTrigger;
    use crate::lower::syntax;
    use squawk_syntax::ast;

    impl DropTrigger {
        pub(crate) fn lower(statement: &ast::DropTrigger) -> Option<Self> {
            let relation = syntax::path_ref(&statement.on_relation()?.relation_name_ref()?.path_ref()?)?;
            let name = syntax::name(&statement.trigger_ref()?);
            Some(Self { if_exists: statement.if_exists().is_some(), ..Self::new(relation, name) })
        }
    }
}
