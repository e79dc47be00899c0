//! Triggers of PostgreSQL.

use super::{Deferral, ObjectKey, Origin, Schema};
use crate::expression::{Expression, Token, tokens};
use crate::name::{At, Name, QualifiedName, quote_literal, quoted_list};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

/// A trigger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trigger {
    /// `before`, `after`, `instead of`.
    pub timing: TriggerTiming,
    /// Where that is written.
    #[serde(skip)]
    pub timing_at: At,
    /// What fires it.
    pub events: BTreeSet<TriggerEvent>,
    /// The columns of `update of`; none: any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub update_of: Vec<Name>,
    /// `for each row`.
    #[serde(default)]
    pub for_each_row: bool,
    /// `referencing old table as`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub old_table: Option<Name>,
    /// `referencing new table as`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub new_table: Option<Name>,
    /// `when`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<Expression>,
    /// The function that it executes.
    pub function: QualifiedName,
    /// What it passes to the function.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub arguments: Vec<String>,
    /// What it is more, as a constraint trigger.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub constraint: Option<ConstraintTrigger>,
    /// Whether it fires.
    #[serde(default)]
    pub state: TriggerState,
    /// The text of `comment on trigger`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// Who created it.
    #[serde(default)]
    pub origin: Origin,
}

/// When a trigger fires.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TriggerTiming {
    /// `before`.
    #[default]
    Before,
    /// `after`.
    After,
    /// `instead of`.
    InsteadOf,
}

impl TriggerTiming {
    /// As SQL.
    #[must_use]
    pub fn sql(self) -> &'static str {
        match self {
            Self::Before => "before",
            Self::After => "after",
            Self::InsteadOf => "instead of",
        }
    }
}

/// What fires a trigger, in the order in which PostgreSQL prints it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TriggerEvent {
    /// `insert`.
    Insert,
    /// `delete`.
    Delete,
    /// `update`.
    Update,
    /// `truncate`.
    Truncate,
}

impl TriggerEvent {
    /// As SQL.
    #[must_use]
    pub fn sql(self) -> &'static str {
        match self {
            Self::Insert => "insert",
            Self::Delete => "delete",
            Self::Update => "update",
            Self::Truncate => "truncate",
        }
    }
}

/// What a constraint trigger has that others don't.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConstraintTrigger {
    /// Whether it waits for the end of the transaction.
    pub deferral: Deferral,
    /// The other table of `from`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<QualifiedName>,
}

impl ConstraintTrigger {
    /// `from other deferrable initially deferred`; empty where nothing of that is said.
    #[must_use]
    pub fn sql(&self) -> String {
        let from = self.from.as_ref().map(|from| format!("from {}", from.quoted()));
        let deferral = match self.deferral {
            Deferral::No => None,
            Deferral::Immediate => Some("deferrable".to_owned()),
            Deferral::Deferred => Some("deferrable initially deferred".to_owned()),
        };
        from.into_iter().chain(deferral).collect::<Vec<_>>().join(" ")
    }
}

/// Whether a trigger fires, depending on `session_replication_role`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TriggerState {
    /// But for replication.
    #[default]
    Enabled,
    /// Never.
    Disabled,
    /// For replication only.
    Replica,
    /// Always.
    Always,
}

impl TriggerState {
    /// As `alter table` says it before `trigger`.
    #[must_use]
    pub fn sql(self) -> &'static str {
        match self {
            Self::Enabled => "enable",
            Self::Disabled => "disable",
            Self::Replica => "enable replica",
            Self::Always => "enable always",
        }
    }
}

impl Trigger {
    /// A trigger without events that executes a function for each statement.
    #[must_use]
    pub fn new(timing: TriggerTiming, function: QualifiedName) -> Self {
        Self {
            timing,
            timing_at: At::default(),
            events: BTreeSet::new(),
            update_of: Vec::new(),
            for_each_row: false,
            old_table: None,
            new_table: None,
            when: None,
            function,
            arguments: Vec::new(),
            constraint: None,
            state: TriggerState::Enabled,
            comment: None,
            origin: Origin::default(),
        }
    }

    /// `insert or update of title`. PostgreSQL takes no notice of the order, so `sorted` has one spelling for all.
    #[must_use]
    pub fn events_sql(&self, sorted: bool) -> String {
        let event = |event: &TriggerEvent| match event {
            TriggerEvent::Update if !self.update_of.is_empty() => {
                let mut columns: Vec<&Name> = self.update_of.iter().collect();
                if sorted {
                    columns.sort();
                    columns.dedup();
                }
                format!("update of {}", quoted_list(columns))
            }
            event => event.sql().to_owned(),
        };
        self.events.iter().map(event).collect::<Vec<_>>().join(" or ")
    }

    /// `'a', 'b'`.
    #[must_use]
    pub fn arguments_sql(&self) -> String {
        self.arguments.iter().map(|argument| quote_literal(argument)).collect::<Vec<_>>().join(", ")
    }

    /// What follows the name: `before update on public.documents for each row execute function public.touch()`.
    #[must_use]
    pub fn sql(&self, relation: &QualifiedName) -> String {
        let mut sql = format!("{} {} on {}", self.timing.sql(), self.events_sql(false), relation.quoted());
        if let Some(constraint) = self.constraint.as_ref().map(ConstraintTrigger::sql).filter(|sql| !sql.is_empty()) {
            let _ = write!(sql, " {constraint}");
        }
        let transition = |kind: &str, name: &Option<Name>| name.as_ref().map(|name| format!(" {kind} table as {}", name.quoted()));
        let transitions: String = transition("old", &self.old_table).into_iter().chain(transition("new", &self.new_table)).collect();
        if !transitions.is_empty() {
            let _ = write!(sql, " referencing{transitions}");
        }
        sql.push_str(if self.for_each_row { " for each row" } else { " for each statement" });
        if let Some(when) = &self.when {
            let _ = write!(sql, " when ({})", when.sql());
        }
        let _ = write!(sql, " execute function {}({})", self.function.quoted(), self.arguments_sql());
        sql
    }

    /// The condition and the arguments, out of what `pg_get_triggerdef` printed.
    #[must_use]
    pub fn read_definition(definition: &str) -> (Option<Expression>, Vec<String>) {
        let condition = Expression::new(definition).clause(&["when"]);
        let when = condition.as_ref().map(|clause| Expression::from_catalog(clause.sql().get(4..).unwrap_or_default()));
        let tokens = tokens(definition);
        let execute = tokens.iter().rposition(|(token, _)| token.is_word("execute")).unwrap_or(tokens.len());
        let arguments = tokens[execute..].iter().filter_map(|(token, _)| match token {
            Token::String(text) => Some(text.clone()),
            _ => None,
        });
        (when, arguments.collect())
    }

    /// Whether PostgreSQL refuses to lose a column because of it.
    #[must_use]
    pub fn involves(&self, column: &str) -> bool {
        self.update_of.iter().any(|name| *name == column)
            || self.when.as_ref().is_some_and(|when| when.row_columns().iter().any(|(_, name)| *name == column))
    }
}

impl Schema {
    /// The trigger of this name.
    #[must_use]
    pub fn trigger(&self, relation: &QualifiedName, name: &Name) -> Option<&Trigger> {
        self.triggers.get(relation)?.get(name)
    }

    /// The same, to change it.
    pub fn trigger_mut(&mut self, relation: &QualifiedName, name: &Name) -> Option<&mut Trigger> {
        self.triggers.get_mut(relation)?.get_mut(name)
    }

    /// The triggers of a relation, by name.
    pub fn triggers_of(&self, relation: &QualifiedName) -> impl Iterator<Item = (&Name, &Trigger)> {
        self.triggers.get(relation).into_iter().flatten()
    }

    /// The triggers that involve a column: in `update of` or in `when`.
    #[must_use]
    pub fn triggers_on_column(&self, table: &QualifiedName, column: &str) -> Vec<Name> {
        self.triggers_of(table).filter(|(_, trigger)| trigger.involves(column)).map(|(name, _)| name.clone()).collect()
    }

    /// Puts a trigger there. The answer is the one that it replaces.
    pub fn insert_trigger(&mut self, relation: &QualifiedName, name: &Name, trigger: Trigger) -> Option<Trigger> {
        self.triggers.get_or_insert_with(relation.clone(), BTreeMap::new).insert(name.clone(), trigger)
    }

    /// Takes a trigger away.
    pub fn remove_trigger(&mut self, relation: &QualifiedName, name: &Name) -> Option<Trigger> {
        let triggers = self.triggers.get_mut(relation)?;
        let trigger = triggers.remove(name);
        if triggers.is_empty() {
            self.triggers.remove(relation);
        }
        trigger
    }

    /// Takes all triggers of a relation away that is dropped, and the constraint triggers that name it in `from`.
    pub fn forget_triggers_of(&mut self, relation: &QualifiedName) {
        self.triggers.remove(relation);
        let names = |trigger: &Trigger| trigger.constraint.as_ref().is_some_and(|constraint| constraint.from.as_ref() == Some(relation));
        self.triggers.values_mut().for_each(|triggers| triggers.retain(|_, trigger| !names(trigger)));
        self.triggers.retain(|_, triggers| !triggers.is_empty());
    }

    /// Triggers follow the rename of their relation.
    pub(crate) fn move_triggers(&mut self, from: &QualifiedName, to: &QualifiedName) {
        if let Some(triggers) = self.triggers.remove(from) {
            self.triggers.insert(to.clone(), triggers);
        }
        for constraint in self.triggers.values_mut().flat_map(BTreeMap::values_mut).filter_map(|trigger| trigger.constraint.as_mut()) {
            if constraint.from.as_ref() == Some(from) {
                constraint.from = Some(to.clone());
            }
        }
    }

    /// Triggers follow the rename of a column.
    pub(super) fn rename_column_in_triggers(&mut self, table: &QualifiedName, from: &Name, to: &Name) {
        for trigger in self.triggers.get_mut(table).into_iter().flat_map(BTreeMap::values_mut) {
            super::constraint::rename_in(&mut trigger.update_of, from.as_str(), to);
            if let Some(when) = &mut trigger.when {
                when.rename_row_column(from.as_str(), to);
            }
        }
    }

    /// The keys of all triggers.
    pub fn trigger_keys(&self) -> impl Iterator<Item = ObjectKey> {
        let of_relation = |(relation, triggers): (&QualifiedName, &BTreeMap<Name, Trigger>)| {
            triggers.keys().map(|name| ObjectKey::Trigger(relation.clone(), name.clone())).collect::<Vec<_>>()
        };
        self.triggers.iter().flat_map(of_relation)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trigger() -> Trigger {
        Trigger::new(TriggerTiming::After, QualifiedName::public("touch"))
    }

    #[test]
    fn reads_what_postgresql_prints() {
        let definition = "CREATE TRIGGER \"when\" AFTER UPDATE ON public.t FOR EACH ROW \
            WHEN (((old.a IS DISTINCT FROM new.a) AND (new.b <> ') EXECUTE'::text))) EXECUTE FUNCTION public.f('it''s', E'a\\\\b')";
        let (when, arguments) = Trigger::read_definition(definition);
        assert_eq!(when.unwrap().sql(), "(old.a IS DISTINCT FROM new.a) AND (new.b <> ') EXECUTE'::text)");
        assert_eq!(arguments, ["it's", "a\\b"]);
        let plain = "CREATE TRIGGER t BEFORE INSERT ON public.t FOR EACH STATEMENT EXECUTE FUNCTION public.f()";
        assert_eq!(Trigger::read_definition(plain), (None, Vec::new()));
    }

    #[test]
    fn a_column_is_involved_by_its_row_only() {
        let when = Expression::new("new.title is distinct from old.title and body(new.slug) > 'body'");
        let trigger = Trigger { when: Some(when), update_of: vec![Name::new("state")], ..trigger() };
        for (column, involved) in [("title", true), ("slug", true), ("state", true), ("body", false), ("new", false)] {
            assert_eq!(trigger.involves(column), involved, "{column}");
        }
    }

    #[test]
    fn nothing_is_left_of_a_relation_that_is_gone() {
        let (a, b) = (QualifiedName::public("a"), QualifiedName::public("b"));
        let mut schema = Schema::default();
        let from_a = ConstraintTrigger { deferral: Deferral::No, from: Some(a.clone()) };
        schema.insert_trigger(&a, &Name::new("t"), trigger());
        schema.insert_trigger(&b, &Name::new("u"), Trigger { constraint: Some(from_a), ..trigger() });
        schema.forget_triggers_of(&a);
        assert_eq!(schema, Schema::default());
    }
}
