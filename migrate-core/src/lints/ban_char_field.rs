//! `ban_char_field`: a string is filled up with spaces.
//!
//! - **Finds**: a new column, or a new type of one, that is `char` or `character`
//! - **Blocks**: nothing; values come back with spaces that nobody wrote, which count in some comparisons and not in
//!   others
//! - **Instead**: `text`, with a check constraint on the length where it is fixed
//! - **Source**: PostgreSQL wiki, "Don't Do This", "Don't use char(n)"; squawk `ban-char-field`

use super::{Context, Findings, Lint, columns};
use crate::data_type::BaseType;

pub(super) const LINT: Lint = Lint::of_statement("ban_char_field", check).warns();

fn check(context: &Context<'_>, findings: &mut Findings) {
    for (column, data_type) in columns::typed(context) {
        if matches!(&data_type.base, BaseType::Builtin(name) if name == "character") {
            findings.find(columns::at(column, data_type), format!("values of `{column}` are filled up with spaces")).instead("write `text`, and a check constraint where the length is fixed");
        }
    }
}
