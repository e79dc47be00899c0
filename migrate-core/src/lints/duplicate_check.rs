//! `duplicate_check`: the same condition is checked twice.
//!
//! - **Finds**: a new check constraint with the condition of another one of the table at the end of the migration
//! - **Blocks**: nothing; every write checks both, and whoever changes one of them wonders why nothing happens
//! - **Instead**: leave it out, or drop the other one in the same migration
//! - **Source**: PostgreSQL manual, "Check Constraints"

use super::{Context, Findings, Lint, new_constraints};
use crate::schema::{Constraint, ConstraintKind, ObjectKey};

pub(super) const LINT: Lint = Lint::of_history("duplicate_check", check);

fn check(context: &Context<'_>, findings: &mut Findings) {
    let added = new_constraints::added(context);
    for (i, (table, constraint)) in added.iter().enumerate() {
        let ConstraintKind::Check { expression, .. } = &constraint.kind else { continue };
        let Some(end) = context.end().table(table).filter(|end| end.constraints.contains_key(&constraint.name)) else { continue };
        let was_there = |other: &Constraint| {
            let before = context.before().table(table).is_some_and(|before| before.constraints.contains_key(&other.name));
            before || added[..i].iter().any(|(_, earlier)| earlier.name == other.name)
        };
        let others = end.constraints.values().filter(|other| other.name != constraint.name && was_there(other));
        let mut same = others.filter(|other| matches!(&other.kind, ConstraintKind::Check { expression: same, .. } if same == expression));
        let Some(other) = same.next() else { continue };
        let maker = context.creator(&ObjectKey::Constraint((*table).clone(), other.name.clone()));
        findings
            .find(new_constraints::at(table, constraint), format!("`{}` already demands the same of `{table}`", other.name))
            .maybe_note(maker.map(|place| format!("`{}` was created by {place}", other.name)))
            .instead(format!("leave it out, or drop `{}` in the same migration", other.name));
    }
}
