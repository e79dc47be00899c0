//! `dropping_last_policy`: what permitted access to a table is gone, and the table still asks for it.
//!
//! - **Finds**: `drop policy` of a permissive policy, with none left at the end of the migration and row level security enabled
//! - **Blocks**: reads find no row, inserts fail and updates do nothing, for every role but the owner and superusers, from the
//!   commit on
//! - **Instead**: create the policy that takes its place in the same migration
//! - **Source**: PostgreSQL manual, "Row Security Policies": if no policy exists for the table, a default-deny policy is used

use super::{Context, Findings, Lint};
use crate::operation::Operation;
use crate::schema::{ObjectKey, Unmodelled};

pub(super) const LINT: Lint = Lint::of_history("dropping_last_policy", check);

fn check(context: &Context<'_>, findings: &mut Findings) {
    let Some(Operation::DropPolicy(drop)) = context.operation() else { return };
    let (table, name) = (&drop.table, &drop.name);
    // one that the model knows by name only may permit, too
    let permits = |table: &crate::schema::Table| {
        table.policies.values().any(|policy| policy.permissive) || table.unmodelled.iter().any(|what| matches!(what, Unmodelled::Policy(_)))
    };
    let dropped = context.old_table(table).and_then(|old| old.policies.get(name));
    if !dropped.is_some_and(|policy| policy.permissive) || !context.end().table(table).is_some_and(|end| end.row_security.enabled && !permits(end)) {
        return;
    }
    // of several, the last one is said
    let later = |operation: &Operation| matches!(operation, Operation::DropPolicy(later) if later.table == *table);
    if context.later().any(later) {
        return;
    }
    let maker = context.creator(&ObjectKey::Policy(table.clone(), name.clone()));
    findings
        .find(name.at, format!("nothing permits access to `{table}` any more, so nobody but its owner finds a row in it"))
        .maybe_note(maker.map(|place| format!("`{name}` was created by {place}")))
        .instead("add the `create policy` that takes its place to the migration");
}
