//! `adding_not_null_field`: a column that may be null is made `not null`, and every row is read to see that none is.
//!
//! - **Finds**: `set not null` that no valid check constraint proves, of a column of a table that was there before, where
//!   the engine can't do it in phases: of a table with partitions or children, or `#[as_written]`; a `not null` constraint
//!   without `not valid`
//! - **Blocks**: reads and writes of the table, while every row is read
//! - **Instead**: `check (… is not null) not valid`, `validate constraint` in the next migration, and `set not null`
//!   after that, which reads nothing then
//! - **Source**: PostgreSQL manual, `ALTER TABLE`, `SET NOT NULL`; squawk `adding-not-nullable-field`; eugene E2

use super::{Context, Findings, Lint, Work, statements};
use crate::effects::LockMode;
use crate::lower::syntax;
use crate::name::{At, Name, QualifiedName};
use crate::operation::Operation;
use crate::ops::SetNotNull;
use squawk_syntax::ast;

pub(super) const LINT: Lint = Lint::of_statement("adding_not_null_field", check);

fn check(context: &Context<'_>, findings: &mut Findings) {
    if let Some(Operation::SetNotNull(SetNotNull { table, column, .. })) = context.operation() {
        if context.effects().scans.contains(table) && !context.has_no_rows(table) && !context.runs_in_phases() {
            report(findings, table, column, column.at, context.wait(table));
        }
    } else if let Some((table, column, at)) = added_constraint(context) {
        report(findings, &table, &column, at, context.waits(&table, LockMode::AccessExclusive, Work::Reads));
    }
}

fn report(findings: &mut Findings, table: &QualifiedName, column: &Name, at: At, wait: Option<String>) {
    findings.find(at, format!("every row of `{table}` is read to see that `{column}` is never null")).maybe_note(wait).instead(format!(
        "add `check ({} is not null) not valid`, validate it in the next migration, and `set not null` after that",
        column.quoted()
    ));
}

/// `add constraint … not null …` of PostgreSQL 18, without `not valid`.
fn added_constraint(context: &Context<'_>) -> Option<(QualifiedName, Name, At)> {
    let (opaque, table, ast::AlterTableAction::AddConstraint(add)) = statements::table_action(context)? else { return None };
    let Some(ast::Constraint::NotNullConstraint(constraint)) = add.constraint() else { return None };
    let column = constraint.column_name_ref()?;
    let name = syntax::name(&column);
    let not_valid = constraint.constraint_options().any(|option| matches!(option, ast::ConstraintOption::NotValid(_)));
    let known = context.before().column(&table, name.as_str()).is_some_and(|column| column.not_null);
    if not_valid || known || context.has_no_rows(&table) {
        return None;
    }
    Some((table, name, Context::at(opaque, &column)))
}
