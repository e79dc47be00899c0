//! `ban_money`: an amount of money has no currency, and another meaning on another server.
//!
//! - **Finds**: a new column, or a new type of one, that is `money`
//! - **Blocks**: nothing; but a dump that is read where `lc_monetary` is another has other amounts, and fractions of
//!   a cent are lost
//! - **Instead**: `numeric`, and a column that says which currency
//! - **Source**: PostgreSQL wiki, "Don't Do This", "Don't use money"; PostgreSQL manual, "Monetary Types"

use super::{Context, Findings, Lint, columns};
use crate::data_type::BaseType;

pub(super) const LINT: Lint = Lint::of_statement("ban_money", check);

fn check(context: &Context<'_>, findings: &mut Findings) {
    for (column, data_type) in columns::typed(context) {
        if matches!(&data_type.base, BaseType::Builtin(name) if name == "money") {
            findings.find(columns::at(column, data_type), format!("what `{column}` holds depends on the setting `lc_monetary` of each server")).instead("write `numeric(…, 2)`, and keep the currency in a column of its own");
        }
    }
}
