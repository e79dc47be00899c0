//! `adding_trigger_to_table`: a function runs for every row that is written from now on.
//!
//! - **Finds**: `create trigger … for each row` on a table that was there before, unless the function ran as often before
//!   the migration
//! - **Blocks**: writes to the table until the migration commits; and each row that is written afterwards takes
//!   longer, in bulk as well
//! - **Instead**: a `when` condition that leaves most rows out, or `for each statement` with transition tables; where
//!   every row needs it, acknowledge the cost
//! - **Source**: PostgreSQL manual, `CREATE TRIGGER`; "Overview of Trigger Behavior"

use super::{Context, Findings, Lint};
use crate::operation::Operation;
use crate::schema::Trigger;

pub(super) const LINT: Lint = Lint::of_statement("adding_trigger_to_table", check).warns();

fn check(context: &Context<'_>, findings: &mut Findings) {
    let Some(Operation::CreateTrigger(create)) = context.operation() else { return };
    let (table, trigger) = (&create.relation, &create.trigger);
    let is_view = context.before().views.contains_key(table);
    let replaces = context.before().trigger(table, &create.name).is_some();
    // dropped and created again, with another name or another timing
    let ran_before = context.start().triggers.get(table).is_some_and(|triggers| triggers.values().any(|old| costs_as_much(old, trigger)));
    if !trigger.for_each_row || trigger.when.is_some() || is_view || replaces || ran_before || context.is_new_table(table) {
        return;
    }
    findings
        .find(create.name.at, format!("`{}` runs for every row of `{table}` that is written from now on", trigger.function))
        .maybe_note(context.wait(table))
        .instead("add a `when` condition, or `for each statement` with transition tables; or say in an `#[allow]` that every row needs it");
}

fn costs_as_much(old: &Trigger, new: &Trigger) -> bool {
    let columns = old.update_of.is_empty() || old.update_of == new.update_of;
    old.function == new.function && old.for_each_row && old.when.is_none() && columns && new.events.is_subset(&old.events)
}
