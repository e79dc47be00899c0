//! `prefer_timestamptz`: a point in time is stored without saying in which zone.
//!
//! - **Finds**: a new column, or a new type of one, that is `timestamp` without time zone
//! - **Blocks**: nothing; two clients with different `timezone` settings read and write different moments
//! - **Instead**: `timestamptz`, which takes the same eight bytes
//! - **Source**: PostgreSQL wiki, "Don't Do This", "Don't use timestamp (without time zone)"; squawk `prefer-timestamptz`

use super::{Context, Findings, Lint, columns};
use crate::data_type::BaseType;

pub(super) const LINT: Lint = Lint::of_statement("prefer_timestamptz", check).warns();

fn check(context: &Context<'_>, findings: &mut Findings) {
    for (column, data_type) in columns::typed(context) {
        if matches!(&data_type.base, BaseType::Builtin(name) if name == "timestamp without time zone") {
            findings
                .find(columns::at(column, data_type), format!("`{column}` doesn't say in which time zone its times are"))
                .instead("write `timestamptz`");
        }
    }
}
