//! `dropping_extension`: functions go that bodies of other functions may still call.
//!
//! - **Finds**: `drop extension` of an extension that was there before
//! - **Blocks**: nothing; PostgreSQL keeps no record of what a function calls, so one that calls a function of the extension
//!   fails when it is called; with `cascade`, columns of its types and indexes of its operator classes go, too
//! - **Instead**: drop what uses it first, without `cascade`, and acknowledge that no function calls it
//! - **Source**: PostgreSQL manual, `DROP EXTENSION`; "Dependency Tracking"

use super::{Context, Findings, Lint};
use crate::operation::Operation;
use crate::schema::ObjectKey;

pub(super) const LINT: Lint = Lint::of_history("dropping_extension", check);

fn check(context: &Context<'_>, findings: &mut Findings) {
    let Some(Operation::DropExtension(drop)) = context.operation() else { return };
    let key = ObjectKey::Extension(drop.name.clone());
    if context.is_new(&key) || !context.before().extensions.contains_key(&drop.name) || context.end().extensions.contains_key(&drop.name) {
        return;
    }
    let cascade = drop.cascade.then(|| "columns of its types and indexes of its operator classes go with it".to_owned());
    findings
        .find(drop.name.at, format!("functions that call one of `{}` fail when they are called", drop.name))
        .maybe_note(cascade)
        .maybe_note(context.creator(&key).map(|place| format!("it was created by {place}")))
        .instead(format!("look for callers of the functions of `{}`, and drop what uses it without `cascade`", drop.name));
}
