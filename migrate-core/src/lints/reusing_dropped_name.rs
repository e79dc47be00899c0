//! `reusing_dropped_name`: something new has the name of something that was dropped or renamed.
//!
//! - **Finds**: a new table, column or type under a name that an earlier migration took from another one, and that nothing
//!   has had since
//! - **Blocks**: nothing; a release that wasn't stopped, a report or a restored backup still means the old one, and reads or
//!   writes the new one without an error
//! - **Instead**: choose another name, or acknowledge it once nothing knows the old one any more
//! - **Source**: "Refactoring Databases" (Ambler, Sadalage), transition periods

use super::{Context, Findings, Lint};
use crate::name::At;
use crate::operation::Operation;
use crate::schema::ObjectKey;

pub(super) const LINT: Lint = Lint::of_history("reusing_dropped_name", check).warns();

fn check(context: &Context<'_>, findings: &mut Findings) {
    let Some((key, at, from)) = named(context) else { return };
    // what is there already, takes the place of what this migration dropped, or belongs to a table that is as new, is no second one
    let was_in_use = [context.before(), context.start()].iter().any(|schema| schema.definition(&key).is_some());
    if was_in_use || matches!(&key, ObjectKey::Column(table, _) if context.is_new_table(table)) {
        return;
    }
    let Some(departure) = context.start().departure(&key) else { return };
    let Some(place) = departure.origin.place() else { return };
    let what = match &departure.renamed_to {
        // back to its own name
        Some(to) if from.is_some_and(|from| to == from) => return,
        Some(to) => format!("{place} renamed it to `{to}`"),
        None => format!("{place} dropped it"),
    };
    findings
        .find(at, format!("`{}` was another {} before", key.name(), key.kind()))
        .note(what)
        .note("what still means the old one reads and writes the new one without an error".to_owned())
        .instead("choose another name");
}

/// What gets a name, where the name is written, and what the same object was called before.
fn named<'a>(context: &Context<'a>) -> Option<(ObjectKey, At, Option<&'a str>)> {
    Some(match context.operation()? {
        Operation::CreateTable(create) => (ObjectKey::Table(create.table.name.clone()), create.table.name.at(), None),
        Operation::CreateEnum(create) => (ObjectKey::Type(create.name.clone()), create.name.at(), None),
        Operation::AddColumn(add) => (ObjectKey::Column(add.table.clone(), add.column.name.clone()), add.column.name.at, None),
        Operation::RenameTable(rename) => {
            (ObjectKey::Table(rename.table.sibling(rename.to.clone())), rename.to.at, Some(rename.table.name.as_str()))
        }
        Operation::RenameColumn(rename) => {
            (ObjectKey::Column(rename.table.clone(), rename.to.clone()), rename.to.at, Some(rename.column.as_str()))
        }
        _ => return None,
    })
}
