//! Which steps are run in one transaction.

use crate::engine::{Decision, Open, Planned};
use migrate_core::lowering::Pace;

/// A part of the work that has one transaction, or none.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Segment {
    /// Steps of one transaction, as indices of the work's steps. None: the transaction that is open ends.
    Inside(Vec<usize>),
    /// A step that PostgreSQL refuses in a transaction.
    Outside(usize),
}

/// Cuts the steps that are to be run into the fewest transactions that are legal and let the application go on. `open` is
/// the one that is open, and becomes the one that is open at the end, unless that is committed; `completes`: nothing follows.
pub(super) fn segments(steps: &[Planned], completes: bool, open: &mut Open) -> Vec<Segment> {
    let mut segments = Vec::new();
    let mut inside: Vec<usize> = Vec::new();
    for (i, planned) in steps.iter().enumerate().filter(|(_, planned)| planned.decision == Decision::Run) {
        if planned.is_outside() {
            if !inside.is_empty() {
                segments.push(Segment::Inside(std::mem::take(&mut inside)));
            }
            segments.push(Segment::Outside(i));
            *open = Open::default();
            continue;
        }
        if open.ends_before(&steps[i..], completes).is_some() {
            segments.push(Segment::Inside(std::mem::take(&mut inside)));
            *open = Open::default();
        }
        open.take(planned);
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
