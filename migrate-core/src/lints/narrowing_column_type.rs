//! `narrowing_column_type`: a column gets a type that doesn't hold all values of the old one.
//!
//! - **Finds**: a new type of a column of a table that was there before: shorter, of fewer digits, or of another kind
//! - **Blocks**: nothing more than the change itself; but a value that doesn't fit fails the migration, or is cut
//!   without a word
//! - **Instead**: keep the type, and limit the values with a check constraint `not valid`, validated in the next
//!   migration
//! - **Source**: PostgreSQL manual, "Value Storage" of type conversion; `pg_cast`

use super::{Context, Findings, Lint, columns};
use crate::data_type::Narrowing;
use crate::operation::Operation;

pub(super) const LINT: Lint = Lint::of_statement("narrowing_column_type", check);

fn check(context: &Context<'_>, findings: &mut Findings) {
    let Some(Operation::AlterColumnType(alter)) = context.operation() else { return };
    let (table, column, data_type) = (&alter.table, &alter.column, &alter.data_type);
    let Some(before) = context.before().column(table, column.as_str()) else { return };
    if !columns::is_old(context, table, column) || context.has_no_rows(table) || !alter.only_casts() {
        return;
    }
    let message = match before.data_type.narrows_to(data_type, alter.using.is_some()) {
        Some(Narrowing::Refuses) => format!("a value of `{column}` that `{data_type}` doesn't hold fails the migration"),
        Some(Narrowing::Cuts) => format!("what `{data_type}` doesn't hold is cut off the values of `{column}`"),
        None => return,
    };
    findings
        .find(columns::at(column, data_type), message)
        .note(format!("it was `{}`", before.data_type))
        .instead(format!("keep the type, add a check constraint on `{column}` `not valid`, and validate it in the next migration"));
}
