//! `#[as_written]`: what the engine would do in phases on a large table, or in a transaction of its own, is to be done as it
//! stands here.

use std::collections::{BTreeMap, BTreeSet};

use migrate_core::lowering;
use migrate_core::name::QualifiedName;
use migrate_core::operation::{Operate as _, Operation};
use migrate_core::report;
use migrate_core::schema::{Origin, Schema};
use migrate_core::step::Action;

use crate::report::{Place, Report};
use crate::steps::LocatedStep;

/// Reports each attribute that no statement behind it would be without. `before` is the schema before the migration.
pub fn judge(up: &[LocatedStep], down: &[LocatedStep], before: &Schema, report: &mut Report) {
    let mut matters: BTreeMap<Place, bool> = BTreeMap::new();
    let mut new: BTreeSet<QualifiedName> = BTreeSet::new();
    let mut schema = before.clone();
    for located in up {
        let operation = if let Action::Change(operation) = &located.step.action { Some(operation) } else { None };
        if let Some(place) = located.as_written {
            let lowered = operation.and_then(|operation| lowering::lower(operation, &schema)).map(|lowering| lowering.table);
            let effects = operation.map(|operation| operation.effects(&schema)).unwrap_or_default();
            let gone_over = located.step.goes_over.iter().cloned().chain(effects.scans).chain(effects.rewrites);
            *matters.entry(place).or_default() |= lowered.into_iter().chain(gone_over).any(|table| !new.contains(&table));
        }
        if let Some(Operation::CreateTable(create)) = operation {
            new.insert(create.table.name.clone());
        }
        located.step.clone().replay(&mut schema, &Origin::default(), &mut report::Report::default());
    }
    for place in matters.into_iter().filter_map(|(place, any)| (!any).then_some(place)) {
        report.as_written_anyway(place, "the statement is never run in phases, nor in a transaction of its own");
    }
    let below: BTreeSet<Place> = down.iter().filter_map(|located| located.as_written).collect();
    for place in below {
        report.as_written_anyway(place, "the way back is always run as it is written");
    }
}
