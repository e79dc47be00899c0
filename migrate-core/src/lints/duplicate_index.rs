//! `duplicate_index`: the same index is kept twice.
//!
//! - **Finds**: a new index, or a new key, with exactly the keys and the predicate of another one at the end of the migration
//! - **Blocks**: nothing; every write keeps both, and no query is faster
//! - **Instead**: leave it out, or drop the other one in the same migration
//! - **Source**: PostgreSQL wiki, "Index Maintenance", "Duplicate indexes"

use super::indexes::{self, Access};
use super::{Context, Findings, Lint};
use crate::name::{Name, QualifiedName};
use crate::operation::Operation;
use crate::schema::{ConstraintKind, ObjectKey};

pub(super) const LINT: Lint = Lint::of_history("duplicate_index", check);

fn check(context: &Context<'_>, findings: &mut Findings) {
    let added = added(context);
    for (i, (table, name)) in added.iter().enumerate() {
        let Some(end) = context.end().table(table) else { continue };
        let all = indexes::of_table(end);
        let Some(new) = all.iter().find(|access| access.name == *name) else { continue };
        let was_there = |other: &Access<'_>| {
            let before = context.before().table(table);
            let names = before.map(indexes::of_table).unwrap_or_default();
            names.iter().any(|old| old.name == other.name) || added[..i].iter().any(|(_, earlier)| *earlier == other.name)
        };
        let mut others = all.iter().filter(|other| other.name != *name && was_there(other));
        let Some(other) = others.find(|other| new.equals(other) && !earns_its_keep(new, other)) else { continue };
        let key = if other.index.is_some() {
            ObjectKey::Index(table.sibling(other.name.clone()))
        } else {
            ObjectKey::Constraint((*table).clone(), other.name.clone())
        };
        findings
            .find(if name.at.end > 0 { name.at } else { context.place() }, format!("`{name}` has the same keys as `{}`", other.name))
            .maybe_note(context.creator(&key).map(|place| format!("`{}` was created by {place}", other.name)))
            .instead(format!("leave one out: `{}` serves the same queries", other.name));
    }
}

/// Whether the new one guarantees what the other doesn't.
fn earns_its_keep(new: &Access<'_>, other: &Access<'_>) -> bool {
    new.unique && !other.unique
}

/// The indexes that the step adds, those of constraints too, with their tables.
pub(super) fn added<'a>(context: &Context<'a>) -> Vec<(&'a QualifiedName, &'a Name)> {
    if let Some(Operation::CreateIndex(create)) = context.operation() {
        let known = context.before().index(&create.table.sibling(create.index.name.clone())).is_some();
        return if known { Vec::new() } else { vec![(&create.table, &create.index.name)] };
    }
    let keys = super::new_constraints::added(context).into_iter();
    let keys = keys.filter(|(_, constraint)| matches!(constraint.kind, ConstraintKind::PrimaryKey(_) | ConstraintKind::Unique(_)));
    keys.map(|(table, constraint)| (table, &constraint.name)).collect()
}
