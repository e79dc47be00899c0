//! `granting_all`: a role gets more than it needs.
//!
//! - **Finds**: `grant all`, also as a default privilege
//! - **Blocks**: nothing; all of a table is also `truncate`, `references` and `trigger`, and with the last one code that runs
//!   with the rights of whoever writes to the table
//! - **Instead**: name the privileges: `select, insert, update, delete`
//! - **Source**: PostgreSQL manual, "Privileges"; `CREATE TRIGGER`, Notes

use super::{Context, Findings, Lint, grants};
use crate::name::At;
use crate::schema::{ALL, EVERYBODY};

pub(super) const LINT: Lint = Lint::of_statement("granting_all", check).warns();

fn check(context: &Context<'_>, findings: &mut Findings) {
    if let Some((right, at)) = grants::right(context, |right| right.action.at) {
        if right.action.as_str() == ALL && right.role.as_str() != EVERYBODY {
            tell(at, findings);
        }
        return;
    }
    let Some(words) = grants::words(context, &["grant", "alter default privileges"]) else { return };
    let Some(grant) = grants::find(&words, "grant") else { return };
    // that everybody may do it is worse
    if grants::find(&words[grant..], "public").is_some() {
        return;
    }
    if let Some(all) = words.get(grant + 1).filter(|word| word.text == "all") {
        tell(all.at, findings);
    }
}

fn tell(at: At, findings: &mut Findings) {
    findings.find(at, "all privileges are more than an application needs").instead("name the privileges that the role needs");
}
