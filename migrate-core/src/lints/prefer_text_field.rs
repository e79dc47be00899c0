//! `prefer_text_field`: the length of a string is limited by its type.
//!
//! - **Finds**: a new column, or a new type of one, that is `varchar` with a length
//! - **Blocks**: nothing today; but a shorter limit writes every row anew later, and in no case does it tell which
//!   rule was broken
//! - **Instead**: `text`, with a check constraint where there is a rule
//! - **Source**: PostgreSQL wiki, "Don't Do This", "Don't use varchar(n) by default"; squawk `prefer-text-field`

use super::{Context, Findings, Lint, columns};
use crate::data_type::BaseType;

pub(super) const LINT: Lint = Lint::of_statement("prefer_text_field", check).warns();

fn check(context: &Context<'_>, findings: &mut Findings) {
    for (column, data_type) in columns::typed(context) {
        if matches!(&data_type.base, BaseType::Builtin(name) if name == "character varying" && data_type.modifier.is_some()) {
            findings.find(columns::at(column, data_type), format!("the length of `{column}` is part of its type, which is hard to change")).instead("write `text`, and a check constraint where there is a rule");
        }
    }
}
