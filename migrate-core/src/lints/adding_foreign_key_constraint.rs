//! `adding_foreign_key_constraint`: a foreign key is checked against every row while nobody can write to either
//! table.
//!
//! - **Finds**: a new foreign key without `not valid` on a table that was there before, where the engine can't do it in
//!   phases: behind a new column with a default, of or to a partitioned table, or `#[as_written]`
//! - **Blocks**: writes to both tables, while every row is looked up in the other one
//! - **Instead**: add the key `not valid`, which reads no row, and `validate constraint` in the next migration, which
//!   blocks no writes
//! - **Source**: PostgreSQL manual, `ALTER TABLE`, Notes; squawk `adding-foreign-key-constraint`; eugene E5

use super::{Context, Findings, Lint, constraints};
use crate::schema::ConstraintKind;

pub(super) const LINT: Lint = Lint::of_statement("adding_foreign_key_constraint", check);

fn check(context: &Context<'_>, findings: &mut Findings) {
    for added in constraints::added(context) {
        let (table, constraint) = (added.table, added.constraint);
        let ConstraintKind::ForeignKey(key) = &constraint.kind else { continue };
        let effects = context.effects();
        let reads = effects.scans.contains(table) || effects.rewrites.contains(table);
        if !reads || !constraint.validated || context.runs_in_phases() {
            continue;
        }
        let name = constraint.name.quoted();
        let help = if constraints::is_partitioned(context, table) {
            format!("add the key to each partition `not valid`, `validate constraint` there, and add it to `{table}` then")
        } else if added.with_column {
            format!("add the column without `references`, then `{name}` as a constraint `not valid`, and validate it in the next migration")
        } else {
            format!("write `not valid`, and `validate constraint {name}` in the next migration")
        };
        let other = context.wait(&key.references).filter(|_| key.references != *table && !context.is_new_table(&key.references));
        findings
            .find(constraints::at(constraint), format!("every row of `{table}` is looked up in `{}` before anyone can go on", key.references))
            .maybe_note(context.wait(table))
            .maybe_note(other)
            .instead(help);
    }
}
