//! `duplicate_foreign_key`: the same reference is checked twice.
//!
//! - **Finds**: a new foreign key with the columns and the target of another one at the end of the migration
//! - **Blocks**: nothing; every write checks both, and where the two differ in `on delete`, the order of their names decides
//!   which one acts first
//! - **Instead**: leave it out, or drop the other one in the same migration
//! - **Source**: PostgreSQL manual, `CREATE TABLE`, `REFERENCES`; "Overview of Trigger Behavior"

use super::{Context, Findings, Lint, new_constraints};
use crate::name::Name;
use crate::schema::ObjectKey;

pub(super) const LINT: Lint = Lint::of_history("duplicate_foreign_key", check);

fn check(context: &Context<'_>, findings: &mut Findings) {
    let added = new_constraints::added_foreign_keys(context);
    for (i, (table, constraint, key)) in added.iter().enumerate() {
        let Some(end) = context.end().table(table).filter(|end| end.constraints.contains_key(&constraint.name)) else { continue };
        let was_there = |other: &Name| {
            let before = context.before().table(table).is_some_and(|before| before.constraints.contains_key(other));
            before || added[..i].iter().any(|(_, earlier, _)| earlier.name == *other)
        };
        let same = new_constraints::foreign_keys(end).find(|(other, same)| {
            let equal = same.references == key.references && same.columns == key.columns && same.referenced_columns == key.referenced_columns;
            equal && other.name != constraint.name && was_there(&other.name)
        });
        let Some((other, _)) = same else { continue };
        let maker = context.creator(&ObjectKey::Constraint((*table).clone(), other.name.clone()));
        findings
            .find(new_constraints::at(table, constraint), format!("`{}` already makes `{table}` refer to `{}`", other.name, key.references))
            .maybe_note(maker.map(|place| format!("`{}` was created by {place}", other.name)))
            .instead(format!("leave it out, or drop `{}` in the same migration", other.name));
    }
}
