//! `locking_several_tables`: a migration waits for one table while nobody can read another.
//!
//! - **Finds**: a step that locks a table that was there before against reads, after another step of the same transaction
//!   did so with another table
//! - **Blocks**: reads and writes of the first table, for as long as the second can't be had; a transaction that uses them
//!   in the other order is a deadlock, and PostgreSQL ends one of the two
//! - **Instead**: give each table a migration of its own
//! - **Source**: PostgreSQL manual, "Explicit Locking", "Deadlocks"

use super::{Context, Findings, Lint};
use crate::effects::LockMode;

pub(super) const LINT: Lint = Lint::of_history("locking_several_tables", check).warns();

fn check(context: &Context<'_>, findings: &mut Findings) {
    let held = context.held_locks();
    let mut exclusive = held.iter().filter(|(_, mode)| *mode == LockMode::AccessExclusive).map(|(table, _)| *table);
    // it is said once, where the second table is locked
    let (Some(first), None) = (exclusive.next(), exclusive.next()) else { return };
    let mut locked = context.locks_on_old_tables().filter(|(table, mode)| *mode == LockMode::AccessExclusive && *table != first);
    let Some((second, _)) = locked.find(|(table, _)| context.start().table(table).is_some()) else { return };
    findings
        .find(context.place(), format!("`{second}` is waited for while nobody can read `{first}`"))
        .note(format!("a transaction that uses `{second}` and then `{first}` is a deadlock with the migration, and one of the two is ended"))
        .instead(format!("change `{second}` in a migration of its own"));
}
