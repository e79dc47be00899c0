//! `copying_table_without_constraints`: a copy takes a table's place, and has nothing but its rows.
//!
//! - **Finds**: `create table … as` or `select … into` of a table that is renamed in the same migration to the name of one that
//!   was there before, and that gets neither key nor constraint nor index
//! - **Blocks**: nothing; primary key, defaults, `not null`, identity, indexes, triggers and privileges stayed behind, and
//!   foreign keys still point to the old table
//! - **Instead**: `create table … (like … including all)`, and `insert … select`
//! - **Source**: PostgreSQL manual, `CREATE TABLE AS`; `CREATE TABLE`, `LIKE`

use super::{Context, Findings, Lint};
use crate::name::QualifiedName;
use crate::operation::Operation;

pub(super) const LINT: Lint = Lint::of_history("copying_table_without_constraints", check);

fn check(context: &Context<'_>, findings: &mut Findings) {
    let Some(copy) = copy(context) else { return };
    let place = context.later().find_map(|operation| match operation {
        Operation::RenameTable(rename) if rename.table == *copy => Some(copy.sibling(rename.to.clone())),
        _ => None,
    });
    let Some(place) = place.filter(|place| context.start().table(place).is_some()) else { return };
    let completes = |operation: &Operation| match operation {
        Operation::AddConstraint(add) => add.table == *copy || add.table == place,
        Operation::CreateIndex(create) => create.table == *copy || create.table == place,
        Operation::SetNotNull(set) => set.table == *copy || set.table == place,
        _ => false,
    };
    if context.later().any(completes) {
        return;
    }
    let like = format!("create table {} (like {} including all)", copy.quoted(), place.quoted());
    findings
        .find(copy.at(), format!("`{copy}` takes the place of `{place}` without its keys, defaults, constraints and indexes"))
        .instead(format!("write `{like}`, and copy the rows with `insert … select`"));
}

/// The table that the step fills with the rows of others.
fn copy<'a>(context: &Context<'a>) -> Option<&'a QualifiedName> {
    match context.operation()? {
        Operation::CreateTableAs(create) => Some(&create.table.name),
        _ => None,
    }
}
