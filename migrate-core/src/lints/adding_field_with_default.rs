//! `adding_field_with_default`: a column comes with values that PostgreSQL has to write into every row.
//!
//! - **Finds**: `add column` with a default that may differ from row to row, on a table that was there before
//! - **Blocks**: reads and writes of the table, while every row and every index is written anew
//! - **Instead**: add the column without a default, set the default, fill the old rows in batches
//! - **Source**: PostgreSQL manual, `ALTER TABLE`, Notes; squawk `adding-field-with-default`

use super::{Context, Findings, Lint, columns};

pub(super) const LINT: Lint = Lint::of_statement("adding_field_with_default", check);

fn check(context: &Context<'_>, findings: &mut Findings) {
    let Some(add) = columns::on_old_table(context) else { return };
    let Some(default) = add.column.default.as_ref().filter(|default| default.may_be_volatile()) else { return };
    // what numbers the rows is another lint's
    if add.serial.is_some() || !context.effects().rewrites.contains(&add.table) {
        return;
    }
    let (table, column) = (&add.table, &add.column.name);
    findings
        .find(default.at, format!("the default of `{column}` may differ from row to row, so every row of `{table}` is written anew"))
        .maybe_note(context.wait(table))
        .instead(format!(
            "add `{column}` without a default, set the default with `alter column {column} set default`, and fill the old rows in batches"
        ));
}
