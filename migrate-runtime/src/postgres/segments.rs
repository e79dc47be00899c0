//! Which steps are run in one transaction.

use crate::engine::{Decision, Planned};
use migrate_core::effects::TransactionNeed;
use migrate_core::lowering::Pace;
use migrate_core::name::quote_literal;
use migrate_core::operation::Operation;
use migrate_core::step::Action;

/// A part of the work that has one transaction, or none.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Segment {
    /// Steps of one transaction, as indices of the work's steps.
    Inside(Vec<usize>),
    /// A step that PostgreSQL refuses in a transaction.
    Outside(usize),
}

/// Cuts the steps that are to be run into the fewest legal transactions.
pub(super) fn segments(steps: &[Planned]) -> Vec<Segment> {
    let mut segments = Vec::new();
    let mut inside: Vec<usize> = Vec::new();
    let mut new_labels: Vec<String> = Vec::new();
    for (i, planned) in steps.iter().enumerate().filter(|(_, planned)| planned.decision == Decision::Run) {
        if planned.is_outside() {
            if !inside.is_empty() {
                segments.push(Segment::Inside(std::mem::take(&mut inside)));
            }
            segments.push(Segment::Outside(i));
            new_labels.clear();
            continue;
        }
        let adds_value = planned.effects.transaction == TransactionNeed::CommitBeforeUse;
        let may_use = match &planned.step.action {
            Action::Change(_) if adds_value => false,
            Action::Change(_) => new_labels.iter().any(|label| planned.sql.iter().any(|sql| sql.contains(label.as_str()))),
            Action::Run { .. } => !new_labels.is_empty(),
            Action::Assert { query, .. } => new_labels.iter().any(|label| query.contains(label.as_str())),
            Action::Declare { .. } => false,
        };
        if may_use && !inside.is_empty() {
            segments.push(Segment::Inside(std::mem::take(&mut inside)));
            new_labels.clear();
        }
        if adds_value {
            new_labels.extend(added_label(planned));
        }
        inside.push(i);
    }
    if !inside.is_empty() {
        segments.push(Segment::Inside(inside));
    }
    segments
}

/// Whether a step outside of the migration's transactions needs a session of its own: one in phases may be transactions only,
/// and one in batches is.
pub(super) fn needs_session(planned: &Planned) -> bool {
    let phases = planned.lowered.as_ref().map(|lowered| &lowered.lowering.phases);
    planned.batched.is_none() && phases.is_none_or(|phases| phases.iter().any(|phase| phase.pace == Pace::Outside))
}

/// The quoted label that a step adds to an enum type.
fn added_label(planned: &Planned) -> Option<String> {
    match &planned.step.action {
        Action::Change(Operation::AddEnumValue(added)) => Some(quote_literal(added.label.as_str())),
        _ => None,
    }
}
