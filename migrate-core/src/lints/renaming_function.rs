//! `renaming_function`: a function has another name from the commit on, while a release that calls the old one is
//! still running.
//!
//! - **Finds**: `rename to` of a function, a procedure or a routine that this migration doesn't create, or create
//!   again
//! - **Blocks**: nothing; but queries that call it fail from the commit on; defaults, checks and indexes follow,
//!   bodies of other functions don't
//! - **Instead**: create a function of the new name, and drop the old one when no release calls it
//! - **Source**: PostgreSQL manual, `ALTER FUNCTION`

use super::{Context, Findings, Lint, functions};
use crate::operation::Operation;

pub(super) const LINT: Lint = Lint::of_statement("renaming_function", check);

fn check(context: &Context<'_>, findings: &mut Findings) {
    let Some(Operation::RenameRoutine(rename)) = context.operation() else { return };
    let function = &rename.routine.name;
    if functions::is_created(context, function) {
        return;
    }
    findings
        .find(function.at(), format!("queries of a running release that call `{function}` fail from the commit on"))
        .instead(format!("create a function of the new name, and drop `{function}` when no release calls it"));
}
