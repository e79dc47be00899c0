//! `prefer_jsonb`: a document is kept as the text that was sent.
//!
//! - **Finds**: a new column, or a new type of one, that is `json`
//! - **Blocks**: nothing; the text is parsed at every access, has no equality, and no index finds what is in it
//! - **Instead**: `jsonb`, unless the text itself matters: order, white space, the same key twice
//! - **Source**: PostgreSQL manual, "JSON Types"

use super::{Context, Findings, Lint, columns};
use crate::data_type::BaseType;

pub(super) const LINT: Lint = Lint::of_statement("prefer_jsonb", check).warns();

fn check(context: &Context<'_>, findings: &mut Findings) {
    for (column, data_type) in columns::typed(context) {
        if matches!(&data_type.base, BaseType::Builtin(name) if name == "json") {
            findings.find(columns::at(column, data_type), format!("`{column}` is kept as text: without equality, and without an index on what is in it")).instead("write `jsonb`");
        }
    }
}
