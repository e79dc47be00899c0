//! `ban_drop_view`: a view goes while a release that reads it is still running.
//!
//! - **Finds**: `drop view` of a view that was there before, unless the migration creates it again
//! - **Blocks**: nothing for long; but queries that name the view fail from the commit on
//! - **Instead**: release the code that no longer reads it first, and acknowledge the drop with the release; to
//!   change it, create it again in the same migration
//! - **Source**: the same as of a table: squawk `ban-drop-table`

use super::{Context, Findings, Lint};
use crate::operation::Operation;
use crate::schema::ObjectKey;

pub(super) const LINT: Lint = Lint::of_statement("ban_drop_view", check);

fn check(context: &Context<'_>, findings: &mut Findings) {
    let Some(Operation::DropView(drop)) = context.operation() else { return };
    let view = &drop.name;
    if !context.is_old(&ObjectKey::View(view.clone())) || context.end().relation_kind(view).is_some() {
        return;
    }
    findings
        .find(view.at(), format!("queries of a running release that read `{view}` fail from the commit on"))
        .instead(format!("release code that does without `{view}` first; then say so in the reason of an `#[allow]`"));
}
