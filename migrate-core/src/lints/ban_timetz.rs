//! `ban_timetz`: a time of day has an offset, but no date that would say which.
//!
//! - **Finds**: a new column, or a new type of one, that is `time with time zone`
//! - **Blocks**: nothing; the offset of a zone depends on the date, so times compare and convert wrongly
//! - **Instead**: `timestamptz` for a moment, or `time` and the name of the zone for a time of day
//! - **Source**: PostgreSQL wiki, "Don't Do This", "Don't use timetz"; PostgreSQL manual, "Date/Time Types"

use super::{Context, Findings, Lint, columns};
use crate::data_type::BaseType;

pub(super) const LINT: Lint = Lint::of_statement("ban_timetz", check);

fn check(context: &Context<'_>, findings: &mut Findings) {
    for (column, data_type) in columns::typed(context) {
        if matches!(&data_type.base, BaseType::Builtin(name) if name == "time with time zone") {
            findings.find(columns::at(column, data_type), format!("`{column}` has an offset from UTC without the date that it depends on")).instead("write `timestamptz` for a moment, or `time` and the name of the zone in a column of its own");
        }
    }
}
