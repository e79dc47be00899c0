//! `trigger_left_disabled`: a trigger is switched off, and nobody switches it on again.
//!
//! - **Finds**: `disable trigger` of a trigger that is still disabled at the end of the migration
//! - **Blocks**: nothing; what the trigger does, an audit or a timestamp, is silently missing for every row from then on
//! - **Instead**: `enable trigger` in the same migration; or `drop trigger`, if it isn't needed any more
//! - **Source**: PostgreSQL manual, `ALTER TABLE`, `DISABLE TRIGGER`

use super::{Context, Findings, Lint};
use crate::operation::Operation;
use crate::ops::TriggerTarget;
use crate::schema::{ObjectKey, TriggerState};

pub(super) const LINT: Lint = Lint::of_history("trigger_left_disabled", check);

fn check(context: &Context<'_>, findings: &mut Findings) {
    let Some(Operation::SetTriggerState(set)) = context.operation() else { return };
    let relation = &set.table;
    if set.state != TriggerState::Disabled {
        return;
    }
    let left = context.end().triggers.get(relation).into_iter().flatten();
    let left = left.filter(|(name, trigger)| {
        let named = match &set.target {
            TriggerTarget::Named(named) => named == *name,
            TriggerTarget::User => true,
            TriggerTarget::All => false,
        };
        let before = context.before().trigger(relation, name);
        named && trigger.state == TriggerState::Disabled && before.is_some_and(|before| before.state != TriggerState::Disabled)
    });
    for (name, _) in left {
        let at = if let TriggerTarget::Named(named) = &set.target { named.at } else { relation.at() };
        let maker = context.creator(&ObjectKey::Trigger(relation.clone(), name.clone()));
        findings
            .find(at, format!("trigger `{name}` of `{relation}` stays disabled"))
            .maybe_note(maker.map(|place| format!("it was created by {place}")))
            .instead(format!("add `alter table {} enable trigger {}` to the migration", relation.quoted(), name.quoted()));
    }
}
