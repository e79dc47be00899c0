//! `setting_unfilled_column_not_null`: a new column is demanded before anybody filled it.
//!
//! - **Finds**: `set not null` of a column that the same migration added to an older table without a default, and that
//!   nothing has filled in between
//! - **Blocks**: nothing; the migration fails with SQLSTATE 23502 wherever the table has a row, and works where nobody uses it
//! - **Instead**: fill the column before, or add it with a default
//! - **Source**: PostgreSQL manual, `ALTER TABLE`, `SET NOT NULL`

use super::{Context, Findings, Lint, data};
use crate::operation::Operation;

pub(super) const LINT: Lint = Lint::of_history("setting_unfilled_column_not_null", check);

fn check(context: &Context<'_>, findings: &mut Findings) {
    let Some(Operation::SetNotNull(set)) = context.operation() else { return };
    let (table, column) = (&set.table, &set.column);
    if context.old_table(table).is_none() || data::is_after_data(context, table) {
        return;
    }
    let adds = |operation: &&Operation| matches!(operation, Operation::AddColumn(add) if add.table == *table && add.column.name == *column);
    let Some(Operation::AddColumn(add)) = context.earlier().map(|(operation, _)| operation).find(adds) else { return };
    let added = &add.column;
    let filled = added.default.is_some() || added.identity.is_some() || added.generated.is_some() || added.not_null;
    // where the column was there already, `if not exists` added nothing
    if filled || context.start().column(table, column.as_str()).is_some() {
        return;
    }
    findings
        .find(column.at, format!("`{column}` is null in every row of `{table}`, so this fails wherever there is one"))
        .instead(format!("fill `{column}` before, or add it with a default"));
}
