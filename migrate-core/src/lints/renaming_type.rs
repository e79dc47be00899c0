//! `renaming_type`: a type has another name from the commit on, while a release that casts to the old one is still
//! running.
//!
//! - **Finds**: `rename to` of a type that was there before
//! - **Blocks**: nothing; but statements with a cast to the type, as database drivers write them, fail from the
//!   commit on
//! - **Instead**: leave the name: nobody but programmers sees it; or rename it when no running release casts to it,
//!   and acknowledge that
//! - **Source**: PostgreSQL manual, `ALTER TYPE`

use super::{Context, Findings, Lint};
use crate::operation::Operation;
use crate::schema::ObjectKey;

pub(super) const LINT: Lint = Lint::of_statement("renaming_type", check);

fn check(context: &Context<'_>, findings: &mut Findings) {
    let Some(Operation::RenameType(rename)) = context.operation() else { return };
    let old = &rename.name;
    if context.is_new(&ObjectKey::Type(old.clone())) || context.end().has_type(old) {
        return;
    }
    findings
        .find(old.at(), format!("statements of a running release that cast to `{old}` fail from the commit on"))
        .instead("leave the name, or say in the reason of an `#[allow]` that no running release casts to the type");
}
