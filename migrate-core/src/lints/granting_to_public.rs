//! `granting_to_public`: whoever can connect may do it.
//!
//! - **Finds**: `grant … to public`, also as a default privilege; but for `usage` of the schema `public`
//! - **Blocks**: nothing; every role of the database has the privilege, those that come later too, and `revoke` from a single
//!   role takes nothing away
//! - **Instead**: grant it to the roles that need it
//! - **Source**: PostgreSQL manual, "Privileges"

use super::{Context, Findings, Lint, grants};
use crate::name::At;
use crate::schema::{EVERYBODY, ObjectKey};

pub(super) const LINT: Lint = Lint::of_statement("granting_to_public", check);

fn check(context: &Context<'_>, findings: &mut Findings) {
    if let Some((right, at)) = grants::right(context, |right| right.role.at) {
        let of_public = matches!(&right.object, ObjectKey::Schema(name) if name.as_str() == EVERYBODY) && right.action.as_str() == "usage";
        if right.role.as_str() == EVERYBODY && !of_public {
            tell(at, findings);
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
