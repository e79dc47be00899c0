//! `bypassing_triggers`: rows are written that no foreign key has seen.
//!
//! - **Finds**: `set session_replication_role = replica` and `disable trigger all`: foreign keys are triggers, too
//! - **Blocks**: nothing; what is written meanwhile is never checked, and PostgreSQL goes on to believe that it holds
//! - **Instead**: `disable trigger` of the triggers that are in the way, by name, or `disable trigger user`
//! - **Source**: PostgreSQL manual, `ALTER TABLE`, `DISABLE TRIGGER`; "Client Connection Defaults"

use super::{Context, Findings, Lint, grants};
use crate::operation::Operation;
use crate::ops::{SetTriggerState, TriggerTarget};
use crate::schema::TriggerState;

pub(super) const LINT: Lint = Lint::of_statement("bypassing_triggers", check);

fn check(context: &Context<'_>, findings: &mut Findings) {
    const HELP: &str = "disable the triggers that are in the way by name";
    if let Some(Operation::SetTriggerState(SetTriggerState { target: TriggerTarget::All, state: TriggerState::Disabled, table: relation, .. })) =
        context.operation()
    {
        if context.old_table(relation).is_some() {
            findings
                .find(relation.at(), format!("rows of `{relation}` are written that no foreign key has seen"))
                .note("PostgreSQL doesn't look at them again when the triggers are enabled".to_owned())
                .instead(HELP);
        }
        return;
    }
    let Some(words) = grants::words(context, &["set"]) else { return };
    if let Some(setting) = grants::find(&words, "session_replication_role")
        && words[setting..].iter().any(|word| word.text.eq_ignore_ascii_case("replica"))
    {
        findings
            .find(words[setting].at, "rows are written that no trigger and no foreign key has seen")
            .note("PostgreSQL doesn't look at them again afterwards".to_owned())
            .instead(HELP);
    }
}
