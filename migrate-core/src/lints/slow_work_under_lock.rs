//! `slow_work_under_lock`: a table stays locked while something else takes its time.
//!
//! - **Finds**: a step that reads or writes whole tables without blocking them, or that runs Rust code, after a step of the
//!   same transaction that locked an older table
//! - **Blocks**: reads or writes of the locked table, until the slow step is done and the migration commits
//! - **Instead**: do the slow step in a migration of its own, or before the one that takes the lock
//! - **Source**: PostgreSQL manual, "Explicit Locking": a lock is held until the end of the transaction; eugene E4

use super::{Context, Findings, Lint};
use crate::effects::LockMode;
use crate::name::{At, QualifiedName};
use crate::operation::Operation;
use crate::step::Action;

pub(super) const LINT: Lint = Lint::of_history("slow_work_under_lock", check);

fn check(context: &Context<'_>, findings: &mut Findings) {
    let held = context.held_locks();
    let Some((table, mode)) = held.iter().max_by_key(|(_, mode)| *mode) else { return };
    let Some((at, what)) = slow(context) else { return };
    findings
        .find(at, format!("{what} while the lock on `{table}` is held"))
        .note(format!("{} of `{table}` wait until it is done and the migration commits ({})", mode.blocks(), mode.pg_locks_name()))
        .instead(format!("do it in a migration of its own, before or after the one that locks `{table}`"));
}

/// What the step does that takes long. What blocks its own table is for the lints that say how not to.
fn slow(context: &Context<'_>) -> Option<(At, String)> {
    if let Action::Run { function } = &context.current().action {
        return Some((At::default(), format!("`{function}` runs")));
    }
    let operation = context.operation()?;
    let validates_its_own = |(earlier, _): (&Operation, _)| match (earlier, operation) {
        (Operation::AddConstraint(add), Operation::ValidateConstraint(it)) => add.table == it.table && add.constraint.name == it.name,
        _ => false,
    };
    if context.in_transaction().any(validates_its_own) {
        return None;
    }
    let effects = context.effects();
    let blocks = |table: &QualifiedName| effects.locks.iter().any(|(locked, mode)| locked == table && *mode >= LockMode::Share);
    let mut read = effects.scans.iter().chain(&effects.rewrites);
    let table = read.find(|table| context.old_table(table).is_some() && !blocks(table))?;
    let at = match operation {
        Operation::ValidateConstraint(validate) => validate.name.at,
        Operation::CreateView(create) => create.name.at(),
        _ => table.at(),
    };
    Some((at, format!("every row of `{table}` is read")))
}
