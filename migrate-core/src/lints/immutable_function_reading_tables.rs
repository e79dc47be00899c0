//! `immutable_function_reading_tables`: a function promises to give the same answer for ever, and looks it up.
//!
//! - **Finds**: a function that is `immutable` and whose body reads a table or a view
//! - **Blocks**: nothing; indexes and generated columns keep the answer of that day, so that queries miss rows once the table changes
//! - **Instead**: `stable`
//! - **Source**: PostgreSQL manual, "Function Volatility Categories"

use super::{Context, Findings, Lint, functions};

pub(super) const LINT: Lint = Lint::of_history("immutable_function_reading_tables", check);

fn check(context: &Context<'_>, findings: &mut Findings) {
    let Some(function) = functions::created(context) else { return };
    let (Some(at), Some(read)) = (function.immutable, function.reads.first()) else { return };
    findings
        .find(at, format!("`{}` reads `{read}`, so its answer changes with it", function.name))
        .note("an index or a generated column that uses it keeps the answer of that day".to_owned())
        .instead("write `stable`");
}
