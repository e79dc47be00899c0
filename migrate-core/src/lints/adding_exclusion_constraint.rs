//! `adding_exclusion_constraint`: an exclusion constraint builds its index while nobody can read or write, and there
//! is no other way to build it.
//!
//! - **Finds**: a new `exclude` constraint on a table that was there before
//! - **Blocks**: reads and writes of the table, while every row is read and compared
//! - **Instead**: there is no concurrent build and no `not valid` for it: add it when the table is small or nobody is
//!   there, and acknowledge that; where all operators are `=`, a unique index can be built concurrently
//! - **Source**: PostgreSQL manual, `CREATE TABLE`, `EXCLUDE`; eugene E8

use super::{Context, Findings, Lint, constraints};
use crate::schema::ConstraintKind;

pub(super) const LINT: Lint = Lint::of_statement("adding_exclusion_constraint", check);

fn check(context: &Context<'_>, findings: &mut Findings) {
    for added in constraints::added(context) {
        let (table, constraint) = (added.table, added.constraint);
        if matches!(constraint.kind, ConstraintKind::Exclude { .. }) {
            findings
                .find(constraints::at(constraint), format!("the index of `{}` is built while nobody can read `{table}`", constraint.name))
                .maybe_note(context.wait(table))
                .instead("add it when nobody waits for the table, and say so in the reason of an `#[allow]`: it can't be built concurrently");
        }
    }
}
