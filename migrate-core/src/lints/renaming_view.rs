//! `renaming_view`: a view has another name from the commit on, while a release that knows the old one is still
//! running.
//!
//! - **Finds**: `rename to` of a view that was there before, unless the migration leaves something of the old name
//! - **Blocks**: nothing for long; but queries that name the view fail from the commit on
//! - **Instead**: create a view of the new name beside it, and drop the old one when no release reads it
//! - **Source**: the same as of a table: squawk `renaming-table`

use super::{Context, Findings, Lint};
use crate::operation::Operation;
use crate::schema::ObjectKey;

pub(super) const LINT: Lint = Lint::of_statement("renaming_view", check);

fn check(context: &Context<'_>, findings: &mut Findings) {
    let Some(Operation::RenameView(rename)) = context.operation() else { return };
    let view = &rename.name;
    if context.is_new(&ObjectKey::View(view.clone())) || context.end().relation_kind(view).is_some() {
        return;
    }
    findings
        .find(view.at(), format!("queries of a running release that name `{view}` fail from the commit on"))
        .instead(format!("`create view {} as select * from {}`, and drop `{view}` when no release reads it", view.sibling(rename.to.clone()).quoted(), view.quoted()));
}
