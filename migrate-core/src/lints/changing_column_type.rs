//! `changing_column_type`: a column gets a type that its values have to be converted to, or its constraints checked
//! for.
//!
//! - **Finds**: a new type of a column of a table that was there before, but for those that keep every value as it is
//!   stored
//! - **Blocks**: reads and writes of the table, while every row and every index is written anew; programs that expect
//!   the old type may fail
//! - **Instead**: add a column of the new type, keep it in step with a trigger, fill it in batches, and let the next
//!   release read it
//! - **Source**: PostgreSQL manual, `ALTER TABLE`, Notes; squawk `changing-column-type`; eugene E3

use super::{Context, Findings, Lint, columns};
use crate::data_type::{BaseType, DataType};
use crate::operation::Operation;

pub(super) const LINT: Lint = Lint::of_statement("changing_column_type", check);

fn check(context: &Context<'_>, findings: &mut Findings) {
    let Some(Operation::AlterColumnType(alter)) = context.operation() else { return };
    let (table, column, effects) = (&alter.table, &alter.column, context.effects());
    let rewritten = effects.rewrites.contains(table);
    let same_collation = context.before().column(table, column.as_str()).is_none_or(|before| before.collation == alter.collation);
    if context.has_no_rows(table) || !(rewritten || (effects.scans.contains(table) && same_collation)) {
        return;
    }
    let before = context.before().column(table, column.as_str()).map(|column| &column.data_type);
    let what = if before.is_some_and(|before| is_shift(before, &alter.data_type)) && alter.only_casts() {
        "is written anew, unless the time zone of the session is UTC"
    } else if rewritten {
        "is written anew"
    } else {
        "is read, for what rests on the column"
    };
    let broken = effects.breaks_readers.then(|| format!("a release that expects the old type of `{column}` may fail on the new one"));
    findings
        .find(columns::at(column, &alter.data_type), format!("every row of `{table}` {what}"))
        .maybe_note(context.wait(table))
        .maybe_note(broken)
        .instead(format!(
            "add a column of type `{}`, keep it in step with a trigger, fill it in batches, and let the next release read it",
            alter.data_type
        ));
}

/// Whether both are points in time, and one is with the time zone of the session and the other without.
fn is_shift(before: &DataType, after: &DataType) -> bool {
    let kinds = [before, after].map(|data_type| match &data_type.base {
        BaseType::Builtin(name) if name.starts_with("timestamp") && !data_type.array => Some(name.as_str()),
        _ => None,
    });
    matches!(kinds, [Some(before), Some(after)] if before != after) && after.modifier.is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_time_zone_decides_between_times_without_a_precision() {
        let is_shift = |before, after| is_shift(&DataType::from_catalog(before), &DataType::from_catalog(after));
        let (with, without) = ("timestamp with time zone", "timestamp without time zone");
        assert!(is_shift(without, with) && is_shift(with, without));
        assert!(!is_shift(with, with) && !is_shift("date", with));
        assert!(!is_shift(without, "timestamp(3) with time zone"));
    }
}
