//! `prefer_bigint_over_smallint`: a column counts rows in a type that ends at 32,767.
//!
//! - **Finds**: a column of type `smallint` that takes its values from a sequence: an identity, a serial, or a
//!   default of `nextval`
//! - **Blocks**: nothing today; every insert fails from the number on that no longer fits, and the way to a larger
//!   type writes every row anew
//! - **Instead**: `bigint`, which takes six bytes more and never ends
//! - **Source**: PostgreSQL manual, "Numeric Types"; squawk `prefer-bigint-over-smallint`

use super::{Context, Findings, Lint, columns};
use crate::data_type::BaseType;

pub(super) const LINT: Lint = Lint::of_statement("prefer_bigint_over_smallint", check);

fn check(context: &Context<'_>, findings: &mut Findings) {
    for (column, data_type, at) in columns::numbered(context) {
        if matches!(&data_type.base, BaseType::Builtin(name) if name == "smallint") {
            findings
                .find(at, format!("`{column}` counts up to 32,767, and then every insert fails"))
                .instead("make it `bigint`, or `bigserial` where it is a serial");
        }
    }
}
