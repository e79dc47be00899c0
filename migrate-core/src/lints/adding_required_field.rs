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
use crate::schema::Column;

pub(super) const LINT: Lint = Lint::of_statement("adding_required_field", check);

fn check(context: &Context<'_>, findings: &mut Findings) {
    let Some(add) = columns::on_old_table(context) else { return };
    let (table, column) = (&add.table, &add.column);
    let filled = column.default.is_some() || column.identity.is_some() || column.generated.is_some() || add.serial.is_some();
    let domain = column.data_type.named().filter(|_| !column.data_type.array).and_then(|name| context.before().domains.get(name));
    let filled_by_type = domain.is_some_and(|domain| domain.default.is_some()) || may_be_domain(context, column);
    let required = column.not_null || domain.is_some_and(|domain| domain.not_null);
    if !required || filled || filled_by_type {
        return;
    }
    findings
        .find(column.name.at, format!("`{}` has no value for the rows that `{table}` has, so adding it fails", column.name))
        .note("inserts of the release that is still running don't give it one, either")
        .instead(format!("give `{}` a default, or add it nullable and `set not null` once every row has a value", column.name));
}

/// Whether it is of a type that the model knows by name only: that may be a domain with a default.
fn may_be_domain(context: &Context<'_>, column: &Column) -> bool {
    column.data_type.named().is_some_and(|name| context.before().others.contains_key(name))
}
