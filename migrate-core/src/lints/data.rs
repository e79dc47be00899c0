//! What statements do with rows.

use super::Context;
use crate::name::QualifiedName;
use crate::operation::{Operate, Operation};
use crate::ops::Opaque;
use crate::schema::ObjectKey;
use crate::step::Action;

/// Whether an earlier step of the migration may have written rows of the table, or read them to keep them elsewhere.
pub(super) fn is_after_data(context: &Context<'_>, table: &QualifiedName) -> bool {
    context.earlier_steps().any(|step| match &step.action {
        Action::Run { .. } => true,
        Action::Change(operation) => handles_rows(operation, table),
        Action::Declare { .. } | Action::Assert { .. } => false,
    })
}

fn handles_rows(operation: &Operation, table: &QualifiedName) -> bool {
    let Operation::Opaque(opaque) = operation else { return false };
    let names = opaque.relations.contains(table) || operation.requires().contains(&ObjectKey::Table(table.clone()));
    // what a block or a function does is in a string
    is_hidden(opaque) || (names && !opaque.kind.starts_with("alter "))
}

/// Whether it may do anything at all, and its text doesn't tell.
fn is_hidden(opaque: &Opaque) -> bool {
    matches!(opaque.kind.as_str(), "do" | "call" | "execute" | "select")
}
