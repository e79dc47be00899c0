//! `disallowed_unique_constraint`: a unique constraint builds its index while nobody can read or write.
//!
//! - **Finds**: a new unique constraint without `using index` on a table that was there before, where the engine can't do
//!   it in phases: behind a new column, on a table with partitions or children, or `#[as_written]`
//! - **Blocks**: reads and writes of the table, while every row is read and sorted
//! - **Instead**: `create unique index concurrently`, then `add constraint … unique using index`, which is done at
//!   once
//! - **Source**: PostgreSQL manual, `ALTER TABLE`, `ADD table_constraint_using_index`; squawk
//!   `disallowed-unique-constraint`; eugene E7

use super::{Context, Findings, Lint, constraints};
use crate::name::quoted_list;
use crate::schema::ConstraintKind;

pub(super) const LINT: Lint = Lint::of_statement("disallowed_unique_constraint", check);

fn check(context: &Context<'_>, findings: &mut Findings) {
    for added in constraints::added(context) {
        let (table, constraint) = (added.table, added.constraint);
        let ConstraintKind::Unique(key) = &constraint.kind else { continue };
        if context.runs_in_phases() {
            continue;
        }
        let (name, columns) = (constraint.name.quoted(), quoted_list(&key.columns));
        let help = if constraints::is_partitioned(context, table) {
            format!("add it to `only` the partitioned table, build the index of each partition concurrently, and attach those to `{name}`")
        } else {
            let first = if added.with_column { "add the column alone, " } else { "" };
            format!(
                "{first}`create unique index concurrently {name} on {} ({columns})`, then `add constraint {name} unique using index {name}`",
                table.quoted()
            )
        };
        findings
            .find(constraints::at(constraint), format!("the index of `{}` is built while nobody can read `{table}`", constraint.name))
            .maybe_note(context.wait(table))
            .instead(help);
    }
}
