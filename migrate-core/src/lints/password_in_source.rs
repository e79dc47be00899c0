//! `password_in_source`: a password is kept where everybody who reads the code can read it.
//!
//! - **Finds**: `create role`, `create user`, `alter role` and `alter user` with a password
//! - **Blocks**: nothing; the password is in the repository, in the server's log and in the journal, and the same everywhere
//! - **Instead**: let whoever runs the database set it, or ask for it in a step `run`
//! - **Source**: PostgreSQL manual, `CREATE ROLE`, Notes

use super::{Context, Findings, Lint, grants};

pub(super) const LINT: Lint = Lint::of_statement("password_in_source", check);

fn check(context: &Context<'_>, findings: &mut Findings) {
    let Some(words) = grants::words(context, &["create role", "create user", "alter role", "alter user"]) else { return };
    let secret = words.windows(2).find(|pair| !pair[0].is_literal && pair[0].text == "password" && pair[1].is_literal);
    if let Some([_, secret]) = secret {
        findings
            .find(secret.at, "the password is known to everybody who reads this, and to the server's log")
            .instead("leave the password out, and let whoever runs the database set it");
    }
}
