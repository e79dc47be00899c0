//! `adding_field_with_default`: a column comes with values that PostgreSQL has to write into every row.
//!
//! - **Finds**: `add column` with a default that may differ from row to row, on a table that was there before, where the
//!   engine can't do it in phases: with a constraint behind it, of a table that has triggers or rules for updates, partitions,
//!   children or no key, or `#[as_written]`
//! - **Blocks**: reads and writes of the table, while every row and every index is written anew
//! - **Instead**: constraints in statements of their own; or the column without a default, the default after that, and the old
//!   rows filled in batches
//! - **Source**: PostgreSQL manual, `ALTER TABLE`, Notes; squawk `adding-field-with-default`

use super::{Context, Findings, Lint, columns};
use crate::ops::AddColumn;

pub(super) const LINT: Lint = Lint::of_statement("adding_field_with_default", check);

fn check(context: &Context<'_>, findings: &mut Findings) {
    let Some(add) = columns::on_old_table(context) else { return };
    let Some(default) = add.column.default.as_ref().filter(|default| default.may_be_volatile()) else { return };
    // what numbers the rows is another lint's
    if add.serial.is_some() || !context.effects().rewrites.contains(&add.table) || context.runs_in_phases() {
        return;
    }
    let (table, column) = (&add.table, &add.column.name);
    let alone = AddColumn { constraints: Vec::new(), ..add.clone() }.into();
    let help = if !add.constraints.is_empty() && context.has_phases(&alone) {
        format!("write what stands behind `{column}` as statements of their own, after this one: then the engine does each in phases")
    } else {
        format!(
            "add `{column}` without a default, set the default with `alter column {column} set default`, and fill the old rows in batches"
        )
    };
    findings
        .find(default.at, format!("the default of `{column}` may differ from row to row, so every row of `{table}` is written anew"))
        .maybe_note(context.wait(table))
        .instead(help);
}
