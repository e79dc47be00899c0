//! `unvalidated_constraint`: an earlier migration added a constraint as `not valid`, and nobody has validated it since.
//!
//! - **Finds**: a step on a table of which a constraint from an earlier migration is still `not valid` at the end of this one
//! - **Blocks**: nothing; old rows may break the constraint: an update of one of them fails, a backup with them can't be restored,
//!   and PostgreSQL uses it for nothing
//! - **Instead**: `validate constraint` first, which blocks neither reads nor writes
//! - **Source**: PostgreSQL manual, `ALTER TABLE`, `VALIDATE CONSTRAINT`

use super::{Context, Findings, Lint};
use crate::effects::LockMode;
use crate::operation::Operation;
use crate::schema::ObjectKey;

pub(super) const LINT: Lint = Lint::of_history("unvalidated_constraint", check).warns();

fn check(context: &Context<'_>, findings: &mut Findings) {
    let changed = |table: &&crate::name::QualifiedName| context.start().table(table).is_some();
    let strong = |(_, mode): &(&crate::name::QualifiedName, LockMode)| *mode >= LockMode::ShareUpdateExclusive;
    let tables: Vec<_> = context.locks_on_old_tables().filter(strong).map(|(table, _)| table).filter(changed).collect();
    for table in tables {
        // it is said once
        let again = context.earlier().any(|(_, effects)| effects.locks.iter().any(|(locked, mode)| locked == table && *mode >= LockMode::ShareUpdateExclusive));
        let (Some(start), Some(end), false) = (context.start().table(table), context.end().table(table), again) else { continue };
        for constraint in start.constraints.values().filter(|constraint| !constraint.validated) {
            // what is dropped may be added again, under the same name
            let drops = |operation: &Operation| matches!(operation, Operation::DropConstraint(drop) if drop.table == *table && drop.name == constraint.name);
            if end.constraints.get(&constraint.name).is_none_or(|end| end.validated)
                || context.operation().into_iter().chain(context.later()).any(drops)
            {
                continue;
            }
            let maker = context.creator(&ObjectKey::Constraint(table.clone(), constraint.name.clone()));
            findings
                .find(context.place(), format!("`{}` of `{table}` isn't known to hold for old rows", constraint.name))
                .maybe_note(maker.map(|place| format!("it was created by {place}, as `not valid`")))
                .instead(format!("add `alter table {} validate constraint {}` to the migration", table.quoted(), constraint.name.quoted()));
        }
    }
}
