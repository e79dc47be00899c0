//! `set not null`, proven by a check constraint that is validated before.

use super::{Lowering, Offenders, Pace, Phase, alone, key_columns, phase, proof_name};
use crate::effects::LockMode;
use crate::expression::{Expression, Sameness};
use crate::name::{Name, QualifiedName};
use crate::operation::Operate as _;
use crate::ops::SetNotNull;
use crate::schema::{ConstraintKind, Schema, Table};

/// The check that proves a column to be without nulls for as long as it takes to say so in the catalog.
pub(super) struct Proof {
    pub(super) name: Name,
    /// What is there of it: nothing, or whether it is validated.
    pub(super) found: Option<bool>,
    table: QualifiedName,
    condition: String,
    offenders: Offenders,
}

impl Proof {
    /// `None` where another constraint has its name.
    pub(super) fn new(table: &Table, column: &Name) -> Option<Self> {
        let name = proof_name(column);
        let condition = format!("{} is not null", column.quoted());
        let found = match table.constraints.get(name.as_str()) {
            None => None,
            Some(constraint) => {
                let ConstraintKind::Check { expression, .. } = &constraint.kind else { return None };
                if expression.compare(&Expression::new(condition.as_str())) != Sameness::Equal {
                    return None;
                }
                Some(constraint.validated)
            }
        };
        // what PostgreSQL says where the column has nulls
        let message = format!("column \"{column}\" of relation \"{}\" contains null values", table.name.name);
        let offenders = Offenders {
            key: key_columns(table),
            table: table.name.clone(),
            condition: format!("{} is null", column.quoted()),
            message: Some(("23502", message)),
        };
        Some(Self { name, found, table: table.name.clone(), condition, offenders })
    }

    /// The phases that are left until it holds.
    pub(super) fn phases(&self) -> Vec<Phase> {
        let (table, name) = (self.table.quoted(), self.name.quoted());
        let add = format!("alter table {table} add constraint {name} check ({}) not valid", self.condition);
        let validate = format!("alter table {table} validate constraint {name}");
        let mut phases = Vec::new();
        if self.found.is_none() {
            phases.push(phase(Pace::Short, vec![add], &[(&self.table, LockMode::AccessExclusive)]));
        }
        if self.found != Some(true) {
            let validating = phase(Pace::Long, vec![validate], &[(&self.table, LockMode::ShareUpdateExclusive)]);
            phases.push(Phase { offenders: Some(self.offenders.clone()), ..validating });
        }
        phases
    }

    pub(super) fn drop(&self) -> String {
        format!("alter table {} drop constraint if exists {}", self.table.quoted(), self.name.quoted())
    }
}

pub(super) fn lower(set: &SetNotNull, before: &Schema) -> Option<Lowering> {
    let table = alone(before, &set.table)?;
    let column = table.column(set.column.as_str()).filter(|column| !column.not_null)?;
    let proof = Proof::new(table, &set.column)?;
    if let Some(name) = column.not_null_unvalidated() {
        return Some(validate(set, name, proof));
    }
    // another check may prove it
    if proof.found.is_none() && !set.effects(before).scans.contains(&set.table) {
        return None;
    }
    let mut phases = proof.phases();
    let mut last = set.render();
    last.push(proof.drop());
    phases.push(phase(Pace::Short, last, &[(&set.table, LockMode::AccessExclusive)]));
    Some(Lowering { table: set.table.clone(), phases, is_begun: proof.found.is_some(), undo: vec![proof.drop()], index: None, fill: None })
}

/// Somebody has begun it as PostgreSQL 18 has it, and `set not null` would validate that under its strong lock, whatever is
/// proven. It is done by itself, and nothing else is left to do.
fn validate(set: &SetNotNull, name: &Name, proof: Proof) -> Lowering {
    let (table, drop) = (&set.table, proof.drop());
    let sql = format!("alter table {} validate constraint {}", table.quoted(), name.quoted());
    let validating = phase(Pace::Long, vec![sql], &[(table, LockMode::ShareUpdateExclusive)]);
    let mut phases = vec![Phase { offenders: Some(Offenders { message: None, ..proof.offenders }), ..validating }];
    let is_begun = proof.found.is_some();
    if is_begun {
        phases.push(phase(Pace::Short, vec![drop.clone()], &[(table, LockMode::AccessExclusive)]));
    }
    let undo = if is_begun { vec![drop] } else { Vec::new() };
    Lowering { table: table.clone(), phases, is_begun, undo, index: None, fill: None }
}
