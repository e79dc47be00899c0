//! `validating_in_same_transaction`: a constraint is added as `not valid`, and validated before its lock is given back.
//!
//! - **Finds**: `validate constraint` in the transaction that added the constraint to a table that was there before
//! - **Blocks**: what the lock of `add constraint` blocks, reads too for a check, while every row is read: as if nobody had
//!   written `not valid`
//! - **Instead**: validate it in the next migration, under a lock that blocks neither reads nor writes
//! - **Source**: PostgreSQL manual, `ALTER TABLE`, Notes; squawk `adding-foreign-key-constraint`; `strong_migrations`

use super::{Context, Findings, Lint};
use crate::operation::Operation;

pub(super) const LINT: Lint = Lint::of_history("validating_in_same_transaction", check);

fn check(context: &Context<'_>, findings: &mut Findings) {
    let Some(Operation::ValidateConstraint(validate)) = context.operation() else { return };
    let (table, name) = (&validate.table, &validate.name);
    if context.is_new_table(table) {
        return;
    }
    let added = context.in_transaction().find_map(|(operation, effects)| match operation {
        Operation::AddConstraint(add) if add.table == *table && add.constraint.name == *name && !add.constraint.validated => Some(effects),
        _ => None,
    });
    let Some((_, mode)) = added.and_then(|effects| effects.locks.iter().find(|(locked, _)| locked == table)) else { return };
    findings
        .find(name.at, format!("`{name}` is validated while the lock that added it is still held"))
        .note(format!(
            "{} of `{table}` wait until the migration commits, while every row is read ({})",
            mode.blocks(),
            mode.pg_locks_name()
        ))
        .instead(format!("move `alter table {} validate constraint {}` to the next migration", table.quoted(), name.quoted()));
}
