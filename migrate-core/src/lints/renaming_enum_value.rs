//! `renaming_enum_value`: a value of an enum has another name from the commit on, while a release that writes the old
//! one is still running.
//!
//! - **Finds**: `rename value` of a type that was there before
//! - **Blocks**: nothing; but statements that write or compare the old value fail from the commit on, and readers get
//!   one that they don't know
//! - **Instead**: add the new value, let the next release write it, and change the old rows in batches
//! - **Source**: PostgreSQL manual, `ALTER TYPE`, `RENAME VALUE`

use super::{Context, Findings, Lint};
use crate::operation::Operation;
use crate::schema::ObjectKey;

pub(super) const LINT: Lint = Lint::of_statement("renaming_enum_value", check);

fn check(context: &Context<'_>, findings: &mut Findings) {
    let Some(Operation::RenameEnumValue(rename)) = context.operation() else { return };
    let created_here = context.start().enums.get(&rename.name).is_some_and(|before| !before.labels.iter().any(|label| rename.from == *label.as_str()));
    if created_here || context.is_new(&ObjectKey::Type(rename.name.clone())) {
        return;
    }
    findings
        .find(rename.from.at, format!("statements of a running release that name '{}' fail from the commit on", rename.from))
        .note(format!("and it reads '{}', which it doesn't know", rename.to))
        .instead(format!("add '{}' as a value, let the next release write it, and change the old rows in batches", rename.to));
}
