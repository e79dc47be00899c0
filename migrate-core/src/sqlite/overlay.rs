//! The model and a live database as one schema.

use super::project::{enum_checks, project};
use crate::expression::Sameness;
use crate::name::QualifiedName;
use crate::schema::{ObjectKey, OtherKind, Schema, Table};

/// The live schema, with the model's definition of everything that is as the model says.
///
/// The live database says *what* is there: also what others put there, which a rebuild must not lose. The model says what it
/// means: that a text column is an enum. Projecting the result gives the live schema again.
#[must_use]
pub fn overlay(model: &Schema, live: &Schema) -> Schema {
    let projected = project(model);
    let mut schema = Schema {
        schemas: model.schemas.clone(),
        extensions: model.extensions.clone(),
        enums: model.enums.clone(),
        domains: model.domains.clone(),
        composites: model.composites.clone(),
        sequences: model.sequences.clone(),
        departed: model.departed.clone(),
        others: model
            .others
            .iter()
            .filter(|(_, other)| other.kind == OtherKind::Type)
            .map(|(name, it)| (name.clone(), it.clone()))
            .collect(),
        ..live.clone()
    };
    schema.others.extend(live.others.clone());
    for (name, table) in schema.tables.iter_mut() {
        if let Some(known) = model.tables.get(name) {
            adopt(table, known, model, &projected, live);
        }
    }
    for (name, view) in schema.views.iter_mut() {
        if let Some(known) = model.views.get(name).filter(|_| same(&projected, live, &ObjectKey::View(name.clone()))) {
            view.clone_from(known);
        }
    }
    schema
}

fn adopt(table: &mut Table, known: &Table, model: &Schema, projected: &Schema, live: &Schema) {
    let name = table.name.clone();
    let constraint_same = |constraint: &str| same(projected, live, &ObjectKey::Constraint(name.clone(), constraint.into()));
    let checks = enum_checks(known, model);
    for column in &mut table.columns {
        let check = checks.iter().find(|(owner, _)| *owner == column.name);
        let adopted = known.column(column.name.as_str()).filter(|_| {
            same(projected, live, &ObjectKey::Column(name.clone(), column.name.clone()))
                && check.is_none_or(|(_, check)| constraint_same(check.name.as_str()))
        });
        if let Some(adopted) = adopted {
            column.clone_from(adopted);
        }
    }
    table.constraints.retain(|constraint, _| {
        let made_by_enum = checks.iter().any(|(owner, check)| {
            check.name == *constraint
                && table.columns.iter().any(|column| column.name == *owner && known.column(owner.as_str()) == Some(column))
        });
        !made_by_enum || !constraint_same(constraint.as_str())
    });
    for (constraint, it) in &mut table.constraints {
        if let Some(adopted) = known.constraints.get(constraint).filter(|_| constraint_same(constraint.as_str())) {
            it.clone_from(adopted);
        }
    }
    for (index, it) in &mut table.indexes {
        let key = ObjectKey::Index(QualifiedName { schema: name.schema.clone(), name: index.clone() });
        if let Some(adopted) = known.indexes.get(index).filter(|_| same(projected, live, &key)) {
            it.clone_from(adopted);
        }
    }
    table.presence = known.presence;
    table.origin = known.origin.clone();
    table.comment.clone_from(&known.comment);
    table.unlogged = known.unlogged;
    if table.options.is_empty() {
        table.options.clone_from(&known.options);
    }
}

/// Whether an object is in both and its definitions say the same.
pub(super) fn same(projected: &Schema, live: &Schema, key: &ObjectKey) -> bool {
    let (Some(left), Some(right)) = (projected.definition(key), live.definition(key)) else { return false };
    left.facts.len() == right.facts.len()
        && left.facts.iter().all(|fact| right.get(&fact.aspect).is_some_and(|value| fact.value.compare(value) == Sameness::Equal))
}
