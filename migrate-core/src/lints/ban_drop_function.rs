//! `ban_drop_function`: a function goes while a release that calls it is still running.
//!
//! - **Finds**: `drop function`, `drop procedure` and `drop routine`, unless the migration creates one of that name,
//!   or only triggers execute it
//! - **Blocks**: nothing; but queries that call it fail from the commit on, and bodies of other functions that do,
//!   when they run
//! - **Instead**: release the code that no longer calls it first, and acknowledge the drop with the release; to
//!   change it, create it again in the same migration
//! - **Source**: PostgreSQL manual, `DROP FUNCTION`

use super::{Context, Findings, Lint, functions};
use crate::operation::Operation;

pub(super) const LINT: Lint = Lint::of_statement("ban_drop_function", check);

fn check(context: &Context<'_>, findings: &mut Findings) {
    let Some(Operation::DropRoutine(drop)) = context.operation() else { return };
    let function = &drop.routine.name;
    if drop.if_exists || functions::is_created(context, function) || functions::is_of_triggers(context, &drop.routine) {
        return;
    }
    findings
        .find(function.at(), format!("queries of a running release that call `{function}` fail from the commit on"))
        .instead(format!("release code that does without `{function}` first; then say so in the reason of an `#[allow]`"));
}
