//! `adding_generated_column`: a column that is computed and stored is added, and PostgreSQL computes it for every
//! row.
//!
//! - **Finds**: `add column … generated always as (…) stored`, on a table that was there before
//! - **Blocks**: reads and writes of the table, while every row and every index is written anew
//! - **Instead**: index the expression concurrently where it only is to be found by; or add a plain column, let a
//!   trigger fill it, and fill the old rows in batches
//! - **Source**: PostgreSQL manual, `ALTER TABLE`, Notes; eugene E15

use super::{Context, Findings, Lint, columns};

pub(super) const LINT: Lint = Lint::of_statement("adding_generated_column", check);

fn check(context: &Context<'_>, findings: &mut Findings) {
    let Some(add) = columns::on_old_table(context) else { return };
    let (table, column) = (&add.table, &add.column);
    let Some(generated) = column.generated.as_ref().filter(|generated| generated.stored) else { return };
    findings
        .find(generated.expression.at, format!("`{}` is computed for every row of `{table}`, which is written anew", column.name))
        .maybe_note(context.wait(table))
        .instead(format!(
            "add `{} {}` as a plain column that a trigger fills, and fill the old rows in batches; or index the expression",
            column.name.quoted(),
            column.data_type
        ));
}
