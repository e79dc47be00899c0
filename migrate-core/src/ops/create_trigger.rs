//! `create trigger`, `create constraint trigger`.
//!
//! - **SQL**: `create trigger touch before update on documents for each row execute function touch()`
//! - **Lock**: share row exclusive on the relation; access share on that of `from`
//! - **Rewrites**: nothing
//! - **Transaction**: inside
//! - **Undo**: `drop trigger`; of `or replace` the previous definition
//! - **Since**: PostgreSQL 13; `or replace` PostgreSQL 14
//! - **Source**: PostgreSQL manual, `CREATE TRIGGER`

use crate::effects::{Effects, LockMode};
use crate::name::{Name, QualifiedName};
use crate::operation::{Inverse, Operate, Operation};
use crate::ops::{CommentOn, DropTrigger, SetTriggerState, TriggerTarget};
use crate::report::Report;
use crate::schema::{ObjectKey, Origin, Schema, Trigger, TriggerState};
use serde::{Deserialize, Serialize};

/// Creates or replaces a trigger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreateTrigger {
    /// The table, view or other relation.
    pub relation: QualifiedName,
    /// The trigger's name.
    pub name: Name,
    /// Its definition.
    pub trigger: Trigger,
    /// `or replace`.
    #[serde(default)]
    pub or_replace: bool,
}

impl CreateTrigger {
    fn key(&self) -> ObjectKey {
        ObjectKey::Trigger(self.relation.clone(), self.name.clone())
    }

    /// The trigger that is replaced.
    fn replaced<'a>(&self, schema: &'a Schema) -> Option<&'a Trigger> {
        schema.trigger(&self.relation, &self.name).filter(|_| self.or_replace)
    }
}

impl Operate for CreateTrigger {
    fn describe(&self) -> String {
        let verb = if self.or_replace { "create or replace" } else { "create" };
        let kind = if self.trigger.constraint.is_some() { "constraint trigger" } else { "trigger" };
        format!("{verb} {kind} `{}` on `{}`", self.name, self.relation)
    }

    fn requires(&self) -> Vec<ObjectKey> {
        let from = self.trigger.constraint.as_ref().and_then(|constraint| constraint.from.clone());
        let lasting = Some(self.relation.clone()).filter(|relation| !relation.is_temporary());
        lasting.into_iter().chain(from).map(ObjectKey::Table).collect()
    }

    fn touches(&self) -> Vec<ObjectKey> {
        if self.relation.is_temporary() { Vec::new() } else { vec![self.key()] }
    }

    fn bind(&mut self, schema: &Schema) {
        if let Some(temporary) = schema.temporary(&self.relation) {
            self.relation = temporary;
        }
    }

    fn check(&self, schema: &Schema, report: &mut Report) {
        report.check_length([&self.name]);
        // it is gone with the session, so it is no part of the schema
        if self.relation.is_temporary() || !report.needs_relation(schema, &self.relation) {
            return;
        }
        match schema.trigger(&self.relation, &self.name) {
            _ if self.or_replace && self.trigger.constraint.is_some() => report.replaces_constraint_trigger(&self.name),
            Some(replaced) if self.or_replace => report.check_replaced_trigger(&self.name, replaced, &self.trigger),
            Some(_) => report.already_exists(schema, &self.key(), self.name.at),
            None => {}
        }
        report.check_trigger(schema, &self.relation, &self.trigger);
    }

    fn apply(&self, schema: &mut Schema, origin: &Origin) {
        if self.relation.is_temporary() {
            return;
        }
        let comment = schema.trigger(&self.relation, &self.name).and_then(|trigger| trigger.comment.clone());
        let trigger = Trigger { comment, origin: origin.clone(), state: TriggerState::Enabled, ..self.trigger.clone() };
        schema.insert_trigger(&self.relation, &self.name, trigger);
    }

    fn effects(&self, _schema: &Schema) -> Effects {
        if self.relation.is_temporary() {
            return Effects::default();
        }
        let effects = Effects::lock(&self.relation, LockMode::ShareRowExclusive);
        match self.trigger.constraint.as_ref().and_then(|constraint| constraint.from.as_ref()) {
            Some(from) => effects.and_lock(from, LockMode::AccessShare),
            None => effects,
        }
    }

    fn inverse(&self, before: &Schema) -> Inverse {
        if self.relation.is_temporary() {
            return Ok(Vec::new());
        }
        match self.replaced(before) {
            Some(replaced) => {
                let create = Self { trigger: replaced.clone(), ..self.clone() };
                Ok(std::iter::once(create.into()).chain(restore_state(&self.relation, &self.name, replaced)).collect())
            }
            None => Ok(vec![DropTrigger::new(self.relation.clone(), self.name.clone()).into()]),
        }
    }

    fn render(&self) -> Vec<String> {
        let replace = if self.or_replace { "or replace " } else { "" };
        let constraint = if self.trigger.constraint.is_some() { "constraint " } else { "" };
        vec![format!("create {replace}{constraint}trigger {} {}", self.name.quoted(), self.trigger.sql(&self.relation))]
    }
}

/// The operations that create `trigger` as it is, with its state and its comment.
pub(super) fn recreate(relation: &QualifiedName, name: &Name, trigger: &Trigger) -> Vec<Operation> {
    let create = CreateTrigger { relation: relation.clone(), name: name.clone(), trigger: trigger.clone(), or_replace: false };
    let comment = CommentOn::restore(ObjectKey::Trigger(relation.clone(), name.clone()), trigger.comment.as_ref());
    std::iter::once(create.into()).chain(restore_state(relation, name, trigger)).chain(comment).collect()
}

/// The operations that create all triggers again that fall with a relation.
pub(super) fn recreate_all(before: &Schema, relation: &QualifiedName) -> Vec<Operation> {
    let falls = |owner: &QualifiedName, trigger: &Trigger| {
        owner == relation || trigger.constraint.as_ref().is_some_and(|constraint| constraint.from.as_ref() == Some(relation))
    };
    let all = before.triggers.iter().flat_map(|(owner, triggers)| triggers.iter().map(move |(name, trigger)| (owner, name, trigger)));
    all.filter(|(owner, _, trigger)| falls(owner, trigger)).flat_map(|(owner, name, trigger)| recreate(owner, name, trigger)).collect()
}

/// A trigger is enabled when it is created.
fn restore_state(relation: &QualifiedName, name: &Name, trigger: &Trigger) -> Option<Operation> {
    let set = SetTriggerState::new(relation.clone(), TriggerTarget::Named(name.clone()), trigger.state);
    (trigger.state != TriggerState::Enabled).then(|| set.into())
}

#[cfg(feature = "parser")]
mod lower {
    use super::CreateTrigger;
    use crate::expression::{Token, tokens};
    use crate::lower::{constraints, syntax};
    use crate::name::{Name, QualifiedName};
    use crate::schema::{ConstraintTrigger, Trigger, TriggerEvent, TriggerTiming};
    use squawk_syntax::ast::{self, AstNode};
    use std::collections::BTreeSet;

    impl CreateTrigger {
        pub(crate) fn lower(statement: &ast::CreateTrigger) -> Option<Self> {
            let timing = statement.timing()?;
            let call = statement.call_expr()?;
            let mut trigger = Trigger::new(
                match &timing {
                    ast::Timing::TimingAfter(_) => TriggerTiming::After,
                    ast::Timing::TimingBefore(_) => TriggerTiming::Before,
                    ast::Timing::TimingInsteadOf(_) => TriggerTiming::InsteadOf,
                },
                function(&call.expr()?)?,
            );
            trigger.timing_at = syntax::at(timing.syntax());
            trigger.for_each_row = matches!(statement.trigger_level(), Some(ast::TriggerLevel::ForEachRow(_)));
            trigger.arguments = call.arg_list()?.args().map(|argument| self::argument(&argument)).collect::<Option<_>>()?;
            (trigger.events, trigger.update_of) = events(&statement.trigger_event_list()?);
            if let Some(when) = statement.when_condition() {
                trigger.when = Some(syntax::expression(&when.expr()?));
            }
            for table in statement.referencing().iter().flat_map(ast::Referencing::referencing_tables) {
                match table {
                    ast::ReferencingTable::OldTable(it) => trigger.old_table = Some(syntax::name(&it.transition_relation_name()?)),
                    ast::ReferencingTable::NewTable(it) => trigger.new_table = Some(syntax::name(&it.transition_relation_name()?)),
                }
            }
            if statement.constraint_token().is_some() {
                let from = match statement.from_table() {
                    Some(from) => Some(syntax::table_ref(&from.table_name_ref()?)?),
                    None => None,
                };
                let deferral = constraints::deferral(statement.constraint_options());
                trigger.constraint = Some(ConstraintTrigger { deferral, from });
            } else if statement.from_table().is_some() || statement.constraint_options().next().is_some() {
                return None;
            }
            let relation = syntax::path_ref(&statement.on_relation()?.relation_name_ref()?.path_ref()?)?;
            Some(Self { relation, name: syntax::name(&statement.trigger()?), trigger, or_replace: statement.or_replace().is_some() })
        }
    }

    fn events(list: &ast::TriggerEventList) -> (BTreeSet<TriggerEvent>, Vec<Name>) {
        let mut columns = Vec::new();
        let events = list.trigger_events().map(|event| match event {
            ast::TriggerEvent::TriggerEventDelete(_) => TriggerEvent::Delete,
            ast::TriggerEvent::TriggerEventInsert(_) => TriggerEvent::Insert,
            ast::TriggerEvent::TriggerEventTruncate(_) => TriggerEvent::Truncate,
            ast::TriggerEvent::TriggerEventUpdate(it) => {
                columns.extend(it.column_name_refs().map(|column| syntax::name(&column)));
                TriggerEvent::Update
            }
        });
        (events.collect(), columns)
    }

    /// The function that is called. Without a schema, PostgreSQL's own are found first.
    fn function(called: &ast::Expr) -> Option<QualifiedName> {
        let names = called.syntax().descendants().filter_map(ast::NameRef::cast);
        let parts: Vec<Name> = names.map(|name| syntax::name(&name)).collect();
        let function = syntax::qualified(&parts)?;
        let built_in = parts.len() == 1 && BUILT_IN.binary_search(&function.name.as_str()).is_ok();
        Some(if built_in { QualifiedName { schema: Name::new("pg_catalog"), ..function } } else { function })
    }

    /// Functions of PostgreSQL that return `trigger`, sorted.
    const BUILT_IN: &[&str] = &["suppress_redundant_updates_trigger", "tsvector_update_trigger", "tsvector_update_trigger_column"];

    /// Strings, numbers and words alike are strings to the function.
    fn argument(argument: &ast::Arg) -> Option<String> {
        match tokens(&syntax::text(argument.syntax())).as_slice() {
            [(Token::Word(text) | Token::Quoted(text) | Token::String(text) | Token::Number(text), _)] => Some(text.clone()),
            _ => None,
        }
    }
}
