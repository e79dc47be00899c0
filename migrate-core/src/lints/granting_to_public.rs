//! `granting_to_public`: whoever can connect may do it.
//!
//! - **Finds**: `grant … to public`, also as a default privilege; but for `usage` of the schema `public`
//! - **Blocks**: nothing; every role of the database has the privilege, those that come later too, and `revoke` from a single
//!   role takes nothing away
//! - **Instead**: grant it to the roles that need it
//! - **Source**: PostgreSQL manual, "Privileges"

use super::{Context, Findings, Lint, grants};
use crate::name::{At, DEFAULT_SCHEMA};
use crate::operation::Operation;
use crate::schema::{EVERYBODY, ObjectKey};

pub(super) const LINT: Lint = Lint::of_statement("granting_to_public", check);

fn check(context: &Context<'_>, findings: &mut Findings) {
    if let Some(Operation::Grant(grant)) = context.operation() {
        let right = &grant.right;
        let is_default = right.object == ObjectKey::Schema(DEFAULT_SCHEMA.into()) && right.action == "usage";
        if right.role == EVERYBODY && !is_default {
            tell(right.role.at, findings);
        }
        return;
    }
    let Some(words) = grants::words(context, &["grant", "alter default privileges"]) else { return };
    let (Some(grant), Some(to)) = (grants::find(&words, "grant"), words.iter().rposition(|word| !word.is_literal && word.text == "to")) else {
        return;
    };
    let Some(public) = words[to..].iter().find(|word| !word.is_literal && word.text == "public") else { return };
    let rest: Vec<_> = words[grant..to].iter().map(|word| word.text.as_str()).collect();
    if rest == ["grant", "usage", "on", "schema", "public"] {
        return;
    }
    tell(public.at, findings);
}

fn tell(at: At, findings: &mut Findings) {
    findings
        .find(at, "every role that can connect has this privilege, and every role that comes later")
        .instead("grant it to the roles that need it");
}
