//! `adding_serial_primary_key_field`: a column that numbers the rows is added, and PostgreSQL writes a number into
//! every row.
//!
//! - **Finds**: `add column` of a serial type or with an identity, on a table that was there before, where the engine can't do
//!   it in phases: an identity, a primary key or another constraint behind it, a table that has triggers or rules for updates,
//!   partitions, children or no key, or `#[as_written]`
//! - **Blocks**: reads and writes of the table, while every row and every index is written anew
//! - **Instead**: add the column without a value, let new rows take one from a sequence, and number the old rows in
//!   batches
//! - **Source**: PostgreSQL manual, `ALTER TABLE`, Notes; squawk `adding-serial-primary-key-field`; eugene E11

use super::{Context, Findings, Lint, columns};

pub(super) const LINT: Lint = Lint::of_statement("adding_serial_primary_key_field", check);

fn check(context: &Context<'_>, findings: &mut Findings) {
    let Some(add) = columns::on_old_table(context) else { return };
    let (table, column) = (&add.table, &add.column);
    if (add.serial.is_none() && column.identity.is_none()) || context.runs_in_phases() {
        return;
    }
    findings
        .find(columns::at(&column.name, &column.data_type), format!("every row of `{table}` is written anew, to number it in `{}`", column.name))
        .maybe_note(context.wait(table))
        .instead(format!(
            "add `{} {}` alone, `create sequence`, `set default nextval(…)`, and number the old rows in batches",
            column.name.quoted(),
            column.data_type
        ));
}
