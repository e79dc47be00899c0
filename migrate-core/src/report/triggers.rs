//! Messages on triggers.

use super::{Report, article};
use crate::expression::Row;
use crate::name::{At, Name, QualifiedName};
use crate::schema::{ObjectKey, OtherKind, Schema, Trigger, TriggerEvent, TriggerTiming};

impl Report {
    /// Reports a trigger that nobody created. Those that a partition has from its table aren't known. The answer says
    /// whether it is there.
    pub fn needs_trigger(&mut self, schema: &Schema, relation: &QualifiedName, name: &Name) -> bool {
        let known = schema.trigger(relation, name).is_some();
        let may_inherit = schema.tables.get(relation).is_none_or(|table| table.options.contains("partition of"));
        if !known && (!may_inherit || schema.views.contains_key(relation)) {
            let told = self.problems.len();
            self.unknown(schema, &ObjectKey::Trigger(relation.clone(), name.clone()), name.at);
            let elsewhere = schema.triggers.iter().find(|(_, triggers)| triggers.contains_key(name)).map(|(other, _)| other);
            if let (Some(problem), Some(other)) = (self.problems.get_mut(told).filter(|it| it.notes.is_empty()), elsewhere) {
                problem.help = Some(format!("did you mean the one on `{other}`?"));
            }
        }
        known
    }

    /// Triggers depend on the object that is dropped without `cascade`.
    pub fn triggers_depend(&mut self, at: At, what: &str, triggers: &[Name]) {
        let Some((first, further)) = triggers.split_first() else { return };
        let problem = self.problem(at, format!("trigger `{first}` depends on {what}"));
        problem.notes.extend(further.iter().map(|trigger| format!("trigger `{trigger}` depends on it, too")));
        problem.help = Some("drop the trigger first, or write `cascade` to drop it, too".to_owned());
    }

    /// `create or replace constraint trigger`.
    pub fn replaces_constraint_trigger(&mut self, name: &Name) {
        self.problem(name.at, "a constraint trigger can't be created with `or replace`").help =
            Some("leave `or replace` out, and drop the trigger first where there is one".to_owned());
    }

    /// `create or replace trigger` doesn't make a constraint trigger of another one, or the other way round.
    pub fn check_replaced_trigger(&mut self, name: &Name, replaced: &Trigger, trigger: &Trigger) {
        if replaced.constraint.is_some() && trigger.constraint.is_none() {
            self.problem(name.at, format!("trigger `{name}` is a constraint trigger, which can't be replaced")).help =
                Some("drop it first".to_owned());
        }
    }

    /// Reports what PostgreSQL refuses in a trigger on a relation that is known.
    pub fn check_trigger(&mut self, schema: &Schema, relation: &QualifiedName, trigger: &Trigger) {
        self.check_kind(schema, relation, trigger);
        for column in &trigger.update_of {
            self.needs_column_of_row(schema, relation, column);
        }
        self.check_timing(trigger);
        self.check_transition_tables(schema, relation, trigger);
        self.check_when(schema, relation, trigger);
        self.needs_trigger_function(schema, &trigger.function);
        if let Some(from) = trigger.constraint.as_ref().and_then(|constraint| constraint.from.as_ref()) {
            self.needs_table(schema, from);
        }
    }

    /// Which relations have which triggers.
    fn check_kind(&mut self, schema: &Schema, relation: &QualifiedName, trigger: &Trigger) {
        let instead = trigger.timing == TriggerTiming::InsteadOf;
        match schema.relation_kind(relation) {
            Some("table") if instead => {
                self.problem(trigger.timing_at, format!("`{relation}` is a table: only views have `instead of` triggers")).help =
                    Some("write `before` or `after`".to_owned());
            }
            Some("view") if !instead && trigger.for_each_row => {
                self.problem(
                    trigger.timing_at,
                    format!("`{relation}` is a view: its triggers for each row fire `instead of` its changes"),
                )
                .help = Some("write `instead of`".to_owned());
            }
            Some("view") if trigger.events.contains(&TriggerEvent::Truncate) => {
                self.problem(trigger.timing_at, format!("`{relation}` is a view: it can't be truncated"));
            }
            Some(kind @ ("materialized view" | "sequence" | "index")) => {
                self.problem(relation.at(), format!("`{relation}` is {} {kind}, which has no triggers", article(kind)));
            }
            _ => {}
        }
    }

    fn check_timing(&mut self, trigger: &Trigger) {
        let at = trigger.timing_at;
        if trigger.timing == TriggerTiming::InsteadOf {
            if !trigger.for_each_row {
                self.problem(at, "an `instead of` trigger fires for each row").help = Some("add `for each row`".to_owned());
            }
            if let Some(when) = &trigger.when {
                self.problem(when.at, "an `instead of` trigger has no condition").help = Some("test it in the function".to_owned());
            }
            if let Some(column) = trigger.update_of.first() {
                self.problem(column.at, "an `instead of` trigger has no columns").help = Some("write `update` alone".to_owned());
            }
        }
        if trigger.for_each_row && trigger.events.contains(&TriggerEvent::Truncate) {
            self.problem(at, "a trigger on `truncate` can't fire for each row").help = Some("write `for each statement`".to_owned());
        }
        if trigger.constraint.is_some() && !(trigger.timing == TriggerTiming::After && trigger.for_each_row) {
            self.problem(at, "a constraint trigger fires after each row").help = Some("write `after … for each row`".to_owned());
        }
    }

    fn check_transition_tables(&mut self, schema: &Schema, relation: &QualifiedName, trigger: &Trigger) {
        let Some(first) = trigger.old_table.as_ref().or(trigger.new_table.as_ref()) else { return };
        if trigger.timing != TriggerTiming::After || trigger.constraint.is_some() {
            self.problem(first.at, "only an `after` trigger that is no constraint sees the changed rows as a table");
        } else if trigger.events.len() > 1 {
            self.problem(first.at, "a trigger that sees the changed rows as a table fires on one event only").help =
                Some("create a trigger for each event".to_owned());
        } else if let Some(column) = trigger.update_of.first() {
            self.problem(column.at, "a trigger that sees the changed rows as a table fires on `update` of any column").help =
                Some("write `update` alone".to_owned());
        } else if schema.relation_kind(relation) == Some("view") {
            self.problem(first.at, format!("`{relation}` is a view: its triggers see no changed rows as a table"));
        } else if trigger.events.contains(&TriggerEvent::Truncate) {
            self.problem(first.at, "`truncate` shows no changed rows");
        }
        if let [event] = trigger.events.iter().collect::<Vec<_>>().as_slice() {
            let wrong = match event {
                TriggerEvent::Insert => trigger.old_table.as_ref().map(|name| (name, "old")),
                TriggerEvent::Delete => trigger.new_table.as_ref().map(|name| (name, "new")),
                TriggerEvent::Update | TriggerEvent::Truncate => None,
            };
            if let Some((name, rows)) = wrong {
                self.problem(name.at, format!("`{}` has no {rows} rows", event.sql()));
            }
        }
        if let (Some(old), Some(new)) = (&trigger.old_table, &trigger.new_table)
            && old == new
        {
            self.problem(new.at, format!("the old rows are called `{old}` already"));
        }
    }

    fn check_when(&mut self, schema: &Schema, relation: &QualifiedName, trigger: &Trigger) {
        let Some(when) = &trigger.when else { return };
        let rows = when.rows();
        if !trigger.for_each_row {
            if !rows.is_empty() {
                self.problem(when.at, "the condition of a trigger for each statement sees no row").help =
                    Some("add `for each row`".to_owned());
            }
            return;
        }
        for (event, row, name) in [(TriggerEvent::Insert, Row::Old, "old"), (TriggerEvent::Delete, Row::New, "new")] {
            if trigger.events.contains(&event) && rows.contains(&row) {
                self.problem(when.at, format!("there is no `{name}` row on `{}`, and the condition reads it", event.sql())).help =
                    Some(format!("create a trigger of its own for `{}`", event.sql()));
            }
        }
        for (row, column) in when.row_columns() {
            self.needs_column_of_row(schema, relation, &column);
            let generated = schema.column(relation, column.as_str()).is_some_and(|column| column.generated.is_some());
            if generated && row == Row::New && trigger.timing == TriggerTiming::Before {
                self.problem(column.at, format!("column `{relation}.{column}` is generated: a `before` trigger doesn't know it yet"))
                    .help = Some("write `after`".to_owned());
            }
        }
    }

    /// A column of a table, or one that every row has.
    fn needs_column_of_row(&mut self, schema: &Schema, relation: &QualifiedName, column: &Name) {
        let of_view = schema.views.contains_key(relation);
        let by_name = schema.others.get(relation).is_some_and(|other| other.kind == OtherKind::Relation);
        if !of_view && !by_name && !SYSTEM.contains(&column.as_str()) {
            self.needs_column(schema, relation, column);
        }
    }
}

/// Columns that every row has.
const SYSTEM: &[&str] = &["cmax", "cmin", "ctid", "tableoid", "xmax", "xmin"];
