//! `adding_primary_key_constraint`: a primary key builds its index, or looks for nulls, while nobody can read or
//! write.
//!
//! - **Finds**: a new primary key without `using index` on a table that was there before, where the engine can't do it in
//!   phases: behind a new column, of a table with partitions or children, or `#[as_written]`; with `using index`, where a
//!   column may still be null
//! - **Blocks**: reads and writes of the table, while every row is read and sorted
//! - **Instead**: `create unique index concurrently`, then `add primary key using index` on columns that are `not
//!   null` already
//! - **Source**: PostgreSQL manual, `ALTER TABLE`, `ADD table_constraint_using_index`; squawk
//!   `adding-serial-primary-key-field`

use super::{Context, Findings, Lint, constraints};
use crate::name::{QualifiedName, quoted_list};
use crate::operation::Operation;
use crate::ops::AddConstraint;
use crate::schema::{Constraint, ConstraintKind, Key};

pub(super) const LINT: Lint = Lint::of_statement("adding_primary_key_constraint", check);

fn check(context: &Context<'_>, findings: &mut Findings) {
    for added in constraints::added(context) {
        let ConstraintKind::PrimaryKey(key) = &added.constraint.kind else { continue };
        if context.runs_in_phases() {
            continue;
        }
        // a column without values fails, and a serial one has every row written: that is what others find
        if !added.with_column || (context.effects().rewrites.is_empty() && is_filled(context)) {
            builds_index(context, findings, added.table, added.constraint, key);
        }
    }
    if let Some(Operation::AddConstraint(AddConstraint { table, constraint, using_index: Some(index), .. })) = context.operation()
        && let ConstraintKind::PrimaryKey(key) = &constraint.kind
        && context.effects().scans.contains(table)
        && !context.has_no_rows(table)
    {
        let nullable = |column: &&crate::name::Name| context.before().column(table, column.as_str()).is_some_and(|column| !column.not_null);
        let columns: Vec<_> = key.columns.iter().filter(nullable).collect();
        let (at, columns) = (index.at, quoted_list(columns));
        findings
            .find(at, format!("every row of `{table}` is read to see that `{columns}` is never null"))
            .maybe_note(context.wait(table))
            .instead(format!("`set not null` before, proven by a validated `check ({columns} is not null)`"));
    }
}

fn is_filled(context: &Context<'_>) -> bool {
    matches!(context.operation(), Some(Operation::AddColumn(add)) if add.column.default.is_some() || add.column.generated.is_some())
}

fn builds_index(context: &Context<'_>, findings: &mut Findings, table: &QualifiedName, constraint: &Constraint, key: &Key) {
    let (name, columns) = (constraint.name.quoted(), quoted_list(&key.columns));
    let help = if constraints::is_partitioned(context, table) {
        format!("add it to `only` the partitioned table, build the index of each partition concurrently, and attach those to `{name}`")
    } else {
        format!("`create unique index concurrently {name} on {} ({columns})`, then `add primary key using index {name}`", table.quoted())
    };
    findings
        .find(constraints::at(constraint), format!("the index of primary key `{}` is built while nobody can read `{table}`", constraint.name))
        .maybe_note(context.wait(table))
        .instead(help);
}
