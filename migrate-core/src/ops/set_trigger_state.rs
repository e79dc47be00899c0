//! `alter table … enable trigger`, `alter table … disable trigger`.
//!
//! - **SQL**: `alter table documents disable trigger touch`
//! - **Lock**: share row exclusive on the table
//! - **Rewrites**: nothing
//! - **Transaction**: inside
//! - **Undo**: the state in which each trigger was
//! - **Since**: PostgreSQL 13
//! - **Source**: PostgreSQL manual, `ALTER TABLE`

use crate::effects::{Effects, LockMode};
use crate::name::{Name, QualifiedName};
use crate::operation::{Inverse, NoInverse, Operate};
use crate::report::Report;
use crate::schema::{ObjectKey, Origin, Schema, TriggerState};
use serde::{Deserialize, Serialize};

/// Decides whether triggers of a table fire.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetTriggerState {
    /// The table.
    pub table: QualifiedName,
    /// Which of its triggers.
    pub target: TriggerTarget,
    /// When they fire from now on.
    pub state: TriggerState,
    /// Once bound, whether nobody knows the trigger: one that a partition has from its table.
    #[serde(default)]
    pub unmodelled: bool,
}

/// Triggers of a table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TriggerTarget {
    /// The one of this name.
    Named(Name),
    /// All but those that PostgreSQL made for foreign keys.
    User,
    /// All, which only superusers may change.
    All,
}

impl SetTriggerState {
    /// Decides that `target` fires as `state` says.
    #[must_use]
    pub fn new(table: QualifiedName, target: TriggerTarget, state: TriggerState) -> Self {
        Self { table, target, state, unmodelled: false }
    }

    /// What gives each trigger that changes the state back that it had.
    fn restore<'a>(&'a self, before: &'a Schema, assumed: TriggerState) -> impl Iterator<Item = Self> + 'a {
        let changed = before.triggers_of(&self.table).filter(move |(_, trigger)| trigger.state != assumed);
        changed.map(|(name, trigger)| Self::new(self.table.clone(), TriggerTarget::Named(name.clone()), trigger.state))
    }
}

impl Operate for SetTriggerState {
    fn describe(&self) -> String {
        let state = self.state.sql();
        match &self.target {
            TriggerTarget::Named(name) => format!("{state} trigger `{name}` on `{}`", self.table),
            TriggerTarget::User => format!("{state} the triggers on `{}`", self.table),
            TriggerTarget::All => format!("{state} all triggers on `{}`", self.table),
        }
    }

    fn requires(&self) -> Vec<ObjectKey> {
        vec![ObjectKey::Table(self.table.clone())]
    }

    /// What others have put there is meant by `all` and `user`, too: it is never known to be done.
    fn touches(&self) -> Vec<ObjectKey> {
        match &self.target {
            TriggerTarget::Named(name) if !self.unmodelled => vec![ObjectKey::Trigger(self.table.clone(), name.clone())],
            _ => Vec::new(),
        }
    }

    fn bind(&mut self, schema: &Schema) {
        self.unmodelled = matches!(&self.target, TriggerTarget::Named(name) if schema.trigger(&self.table, name).is_none());
    }

    fn check(&self, schema: &Schema, report: &mut Report) {
        if report.needs_relation(schema, &self.table)
            && let TriggerTarget::Named(name) = &self.target
        {
            report.needs_trigger(schema, &self.table, name);
        }
    }

    fn apply(&self, schema: &mut Schema, _origin: &Origin) {
        let chosen = |name: &Name| match &self.target {
            TriggerTarget::Named(target) => target == name,
            TriggerTarget::User | TriggerTarget::All => true,
        };
        let triggers = schema.triggers.get_mut(&self.table).into_iter().flatten();
        for (_, trigger) in triggers.filter(|(name, _)| chosen(name)) {
            trigger.state = self.state;
        }
    }

    fn effects(&self, _schema: &Schema) -> Effects {
        Effects::lock(&self.table, LockMode::ShareRowExclusive)
    }

    fn inverse(&self, before: &Schema) -> Inverse {
        match &self.target {
            TriggerTarget::Named(name) => match before.trigger(&self.table, name) {
                Some(trigger) if trigger.state == self.state => Ok(Vec::new()),
                Some(trigger) => Ok(vec![Self { state: trigger.state, ..self.clone() }.into()]),
                None => Err(NoInverse::because(format!("nothing is known of trigger `{name}` on `{}`", self.table))),
            },
            // what disables all is undone by what enables all, and then by what was otherwise
            TriggerTarget::All if self.state == TriggerState::Disabled => {
                let enable = Self { state: TriggerState::Enabled, ..self.clone() };
                Ok(std::iter::once(enable).chain(self.restore(before, TriggerState::Enabled)).map(Into::into).collect())
            }
            TriggerTarget::All | TriggerTarget::User => Ok(self.restore(before, self.state).map(Into::into).collect()),
        }
    }

    fn render(&self) -> Vec<String> {
        let target = match &self.target {
            TriggerTarget::Named(name) => name.quoted(),
            TriggerTarget::User => "user".to_owned(),
            TriggerTarget::All => "all".to_owned(),
        };
        vec![format!("alter table {} {} trigger {target}", self.table.quoted(), self.state.sql())]
    }
}

#[cfg(feature = "parser")]
mod lower {
    use super::{SetTriggerState, TriggerTarget};
    use crate::lower::syntax;
    use crate::name::QualifiedName;
    use crate::schema::TriggerState;
    use squawk_syntax::ast;

    impl SetTriggerState {
        pub(crate) fn lower(table: &QualifiedName, action: &ast::AlterTableAction) -> Option<Self> {
            let (target, state) = match action {
                ast::AlterTableAction::EnableTrigger(it) => (target(&it.trigger_target()?), TriggerState::Enabled),
                ast::AlterTableAction::DisableTrigger(it) => (target(&it.trigger_target()?), TriggerState::Disabled),
                ast::AlterTableAction::EnableReplicaTrigger(it) => (named(&it.trigger_ref()?), TriggerState::Replica),
                ast::AlterTableAction::EnableAlwaysTrigger(it) => (named(&it.trigger_ref()?), TriggerState::Always),
                _ => return None,
            };
            Some(Self::new(table.clone(), target, state))
        }
    }

    fn target(target: &ast::TriggerTarget) -> TriggerTarget {
        match target {
            ast::TriggerTarget::TriggerRef(name) => named(name),
            ast::TriggerTarget::All(_) => TriggerTarget::All,
            ast::TriggerTarget::User(_) => TriggerTarget::User,
        }
    }

    fn named(name: &ast::TriggerRef) -> TriggerTarget {
        TriggerTarget::Named(syntax::name(name))
    }
}
