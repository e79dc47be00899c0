//! `prefer_identity`: a column is numbered by a serial type, which leaves the sequence to itself.
//!
//! - **Finds**: a new column of type `serial`, `bigserial` or `smallserial`
//! - **Blocks**: nothing; rights on the sequence are granted apart from those on the table, and a value that is
//!   written by hand collides with a later number
//! - **Instead**: `generated always as identity`, or `by default` where values are written by hand
//! - **Source**: PostgreSQL wiki, "Don't Do This", "Don't use serial"; squawk `prefer-identity`

use super::{Context, Findings, Lint, columns};
use crate::operation::Operation;

pub(super) const LINT: Lint = Lint::of_statement("prefer_identity", check).warns();

fn check(context: &Context<'_>, findings: &mut Findings) {
    let is_serial = |column: &crate::schema::Column| match context.operation() {
        Some(Operation::AddColumn(add)) => add.serial.is_some(),
        Some(Operation::CreateTable(create)) => create.serials.iter().any(|(name, _)| *name == column.name),
        _ => false,
    };
    for column in columns::added(context).into_iter().filter(|column| is_serial(column)) {
        findings
            .find(columns::at(&column.name, &column.data_type), format!("`{}` has a sequence with rights and a name of its own", column.name))
            .instead(format!("write `{} generated always as identity`", column.data_type));
    }
}
