//! `adding_trigger_to_table`: a function runs for every row that is written from now on.
//!
//! - **Finds**: `create trigger … for each row` on a table that was there before
//! - **Blocks**: writes to the table until the migration commits; and each row that is written afterwards takes
//!   longer, in bulk as well
//! - **Instead**: a `when` condition that leaves most rows out, or `for each statement` with transition tables; where
//!   every row needs it, acknowledge the cost
//! - **Source**: PostgreSQL manual, `CREATE TRIGGER`; "Overview of Trigger Behavior"

use super::{Context, Findings, Lint};
use crate::operation::Operation;

pub(super) const LINT: Lint = Lint::of_statement("adding_trigger_to_table", check).warns();

fn check(context: &Context<'_>, findings: &mut Findings) {
    let Some(Operation::CreateTrigger(create)) = context.operation() else { return };
    let (table, trigger) = (&create.relation, &create.trigger);
    let is_view = context.before().views.contains_key(table);
    let replaces = context.before().trigger(table, &create.name).is_some();
    if !trigger.for_each_row || trigger.when.is_some() || is_view || replaces || context.is_new_table(table) {
        return;
    }
    findings
        .find(create.name.at, format!("`{}` runs for every row of `{table}` that is written from now on", trigger.function))
        .maybe_note(context.wait(table))
        .instead("add a `when` condition, or `for each statement` with transition tables; or say in an `#[allow]` that every row needs it");
}
