//! `adding_required_field`: a column without a value for the rows that are there is `not null`: with one row the
//! migration fails.
//!
//! - **Finds**: `add column … not null` without a default, an identity or an expression, on a table that was there
//!   before
//! - **Blocks**: reads and writes of the table, while every row is read; and it fails at the first one
//! - **Instead**: give a default that is the same for all rows, or add the column nullable, fill it, and `set not
//!   null` later
//! - **Source**: PostgreSQL manual, `ALTER TABLE`, Notes; squawk `adding-required-field`

use super::{Context, Findings, Lint, columns};

pub(super) const LINT: Lint = Lint::of_statement("adding_required_field", check);

fn check(context: &Context<'_>, findings: &mut Findings) {
    let Some(add) = columns::on_old_table(context) else { return };
    let (table, column) = (&add.table, &add.column);
    let filled = column.default.is_some() || column.identity.is_some() || column.generated.is_some() || add.serial.is_some();
    // a domain may have a default of its own
    let may_be_domain = column.data_type.named().is_some_and(|name| !context.before().enums.contains_key(name));
    if !column.not_null || filled || may_be_domain {
        return;
    }
    findings
        .find(column.name.at, format!("`{}` has no value for the rows that `{table}` has, so adding it fails", column.name))
        .note("inserts of the release that is still running don't give it one, either")
        .instead(format!("give `{}` a default, or add it nullable and `set not null` once every row has a value", column.name));
}
