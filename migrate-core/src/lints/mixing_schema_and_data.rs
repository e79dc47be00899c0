//! `mixing_schema_and_data`: rows are written one by one while nobody can use a table.
//!
//! - **Finds**: `update`, `delete` or `insert … select` of rows that aren't named by their values, in a table that was there
//!   before, after a step of the same transaction that locked an older table
//! - **Blocks**: reads or writes of the locked table, until the last row is written and the migration commits
//! - **Instead**: write the rows in a migration of its own, or with `backfill … in batches of 1000`, before which the lock is
//!   given back; or before the step that takes the lock
//! - **Source**: PostgreSQL manual, "Explicit Locking"; `strong_migrations`, "Backfilling data"

use super::data::{self, Rows};
use super::{Context, Findings, Lint};

pub(super) const LINT: Lint = Lint::of_history("mixing_schema_and_data", check);

fn check(context: &Context<'_>, findings: &mut Findings) {
    let held = context.held_locks();
    let Some((locked, mode)) = held.iter().max_by_key(|(_, mode)| *mode) else { return };
    for write in data::writes(context) {
        // an insert reads from an older table, an update writes one
        let is_old = write.verb == "insert" || context.old_table(&write.table).is_some();
        if write.rows == Rows::Few || !is_old {
            continue;
        }
        let what = match write.verb {
            "insert" => format!("rows are copied into `{}`", write.table),
            verb => format!("rows of `{}` are {verb}d", write.table),
        };
        findings
            .find(write.at, format!("{what} while the lock on `{locked}` is held"))
            .note(format!("{} of `{locked}` wait until it is done and the migration commits ({})", mode.blocks(), mode.pg_locks_name()))
            .instead(match write.verb {
                "insert" => format!("write the rows in a migration of its own, not in the one that locks `{locked}`"),
                verb => format!("write `backfill {verb} … in batches of 1000`, or a migration of its own, not the one that locks `{locked}`"),
            });
        return;
    }
}
