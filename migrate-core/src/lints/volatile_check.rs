//! `volatile_check`: a row that was right when it was written is wrong when it is restored.
//!
//! - **Finds**: a check constraint that asks for the time, the session, or a random value
//! - **Blocks**: nothing; PostgreSQL checks a row when it is written and never again, so that a backup can't be restored once
//!   the answer is another one, and an update of another column fails
//! - **Instead**: check it in a trigger, or where the row is written
//! - **Source**: PostgreSQL manual, "Check Constraints": PostgreSQL assumes that their conditions are immutable

use super::{Context, Findings, Lint, new_constraints};
use crate::expression::{Expression, Token, tokens};
use crate::name::At;
use crate::schema::ConstraintKind;

pub(super) const LINT: Lint = Lint::of_statement("volatile_check", check);

fn check(context: &Context<'_>, findings: &mut Findings) {
    for (table, constraint) in new_constraints::added(context) {
        let ConstraintKind::Check { expression, .. } = &constraint.kind else { continue };
        if let Some((word, at)) = volatile(expression) {
            findings
                .find(at, format!("`{word}` has another value when a row of `{table}` is restored or updated"))
                .instead("check it in a trigger, or where the row is written");
        }
    }
}

/// The first thing in it that changes from call to call, or from session to session.
fn volatile(expression: &Expression) -> Option<(String, At)> {
    let tokens = tokens(expression.sql());
    let found = tokens.iter().enumerate().find_map(|(i, (token, place))| {
        let Token::Word(word) = token else { return None };
        let qualified = i > 0 && tokens[i - 1].0.is(".") && !(i > 1 && tokens[i - 2].0.is_word("pg_catalog"));
        let called = tokens.get(i + 1).is_some_and(|(next, _)| next.is("("));
        let listed = KEYWORDS.contains(&word.as_str()) || (called && FUNCTIONS.contains(&word.as_str()));
        (listed && !qualified).then(|| (word.clone(), place.clone()))
    });
    let (word, place) = found?;
    let start = usize::try_from(expression.at.start).ok()?;
    let verbatim = expression.at.range().len() == expression.sql().len();
    let at = if verbatim { At::new(start + place.start..start + place.end) } else { expression.at };
    Some((word, at))
}

/// Words of SQL that are calls.
const KEYWORDS: &[&str] = &[
    "current_date",
    "current_role",
    "current_time",
    "current_timestamp",
    "current_user",
    "localtime",
    "localtimestamp",
    "session_user",
];

/// Functions that are stable or volatile.
const FUNCTIONS: &[&str] = &[
    "clock_timestamp",
    "current_setting",
    "gen_random_uuid",
    "nextval",
    "now",
    "random",
    "statement_timestamp",
    "timeofday",
    "transaction_timestamp",
    "uuid_generate_v1",
    "uuid_generate_v4",
    "uuidv4",
    "uuidv7",
];
