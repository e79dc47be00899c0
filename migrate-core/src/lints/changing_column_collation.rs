//! `changing_column_collation`: a column sorts in another way, and every index that it is in is built anew.
//!
//! - **Finds**: a type of a column with another collation, where indexes or constraints of a table that was there
//!   before rest on it
//! - **Blocks**: reads and writes of the table, while every row is read and sorted
//! - **Instead**: leave the column as it is, and build an index with the other collation concurrently for the queries
//!   that sort that way
//! - **Source**: PostgreSQL manual, `ALTER TABLE`, `SET DATA TYPE`: indexes involving the column are converted

use super::{Context, Findings, Lint, columns};
use crate::operation::Operation;

pub(super) const LINT: Lint = Lint::of_statement("changing_column_collation", check);

fn check(context: &Context<'_>, findings: &mut Findings) {
    let Some(Operation::AlterColumnType(alter)) = context.operation() else { return };
    let (table, column, effects) = (&alter.table, &alter.column, context.effects());
    let Some(before) = context.before().column(table, column.as_str()) else { return };
    if before.collation == alter.collation || effects.rewrites.contains(table) || context.has_no_rows(table) {
        return;
    }
    if effects.scans.contains(table) {
        findings
            .find(columns::at(column, &alter.data_type), format!("`{column}` gets another collation, so its indexes are built anew"))
            .maybe_note(context.wait(table))
            .instead("keep the collation, and `create index concurrently` with the other one for the queries that sort that way");
    }
}
