//! `prefer_bigint_over_int`: a column counts rows in a type that ends at 2,147,483,647.
//!
//! - **Finds**: a column of type `integer` that takes its values from a sequence: an identity, a serial, or a default
//!   of `nextval`
//! - **Blocks**: nothing today; every insert fails from the number on that no longer fits, and the way to a larger
//!   type writes every row anew
//! - **Instead**: `bigint`, which takes four bytes more and never ends
//! - **Source**: PostgreSQL manual, "Numeric Types"; squawk `prefer-bigint-over-int`

use super::{Context, Findings, Lint, columns};
use crate::data_type::BaseType;

pub(super) const LINT: Lint = Lint::of_statement("prefer_bigint_over_int", check);

fn check(context: &Context<'_>, findings: &mut Findings) {
    for (column, data_type, at) in columns::numbered(context) {
        if matches!(&data_type.base, BaseType::Builtin(name) if name == "integer") {
            findings
                .find(at, format!("`{column}` counts up to 2,147,483,647, and then every insert fails"))
                .instead("make it `bigint`, or `bigserial` where it is a serial");
        }
    }
}
