//! `constraint_missing_not_valid`: a check constraint is checked against every row while nobody can read or write.
//!
//! - **Finds**: a new check constraint without `not valid` on a table that was there before, where the engine can't do it
//!   in phases: behind a new column, on a table with partitions or children, or `#[as_written]`
//! - **Blocks**: reads and writes of the table, while every row is read
//! - **Instead**: add it `not valid`, which reads no row, and `validate constraint` in the next migration, which
//!   blocks neither reads nor writes
//! - **Source**: PostgreSQL manual, `ALTER TABLE`, Notes; squawk `constraint-missing-not-valid`; eugene E1

use super::{Context, Findings, Lint, constraints};
use crate::schema::ConstraintKind;

pub(super) const LINT: Lint = Lint::of_statement("constraint_missing_not_valid", check);

fn check(context: &Context<'_>, findings: &mut Findings) {
    for added in constraints::added(context) {
        let (table, constraint) = (added.table, added.constraint);
        let is_checked = matches!(constraint.kind, ConstraintKind::Check { .. }) && constraint.validated;
        if !is_checked || context.runs_in_phases() || !context.effects().scans.contains(table) {
            continue;
        }
        let name = constraint.name.quoted();
        let help = if added.with_column {
            format!("add the column without it, then `{name}` as a constraint `not valid`, and validate it in the next migration")
        } else {
            format!("write `not valid`, and `validate constraint {name}` in the next migration")
        };
        findings
            .find(constraints::at(constraint), format!("every row of `{table}` is checked before anyone can read it again"))
            .maybe_note(context.wait(table))
            .instead(help);
    }
}
