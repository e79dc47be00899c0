//! `frozen_default`: a default is the time of the migration, for ever.
//!
//! - **Finds**: a default of `'now'`, `'today'`, `'tomorrow'` or `'yesterday'` for a date or a time: PostgreSQL reads
//!   the word when the default is made
//! - **Blocks**: nothing; but every row that is inserted from now on has the same time
//! - **Instead**: `now()`, `current_date`, or an expression of them
//! - **Source**: PostgreSQL manual, "Date/Time Types", "Special Values": a tip against such defaults

use super::{Context, Findings, Lint, columns};
use crate::data_type::{BaseType, DataType};
use crate::expression::{Expression, Token, token_list};

pub(super) const LINT: Lint = Lint::of_statement("frozen_default", check);

fn check(context: &Context<'_>, findings: &mut Findings) {
    for (column, data_type, default) in columns::defaults(context) {
        let Some(word) = frozen_word(default, data_type) else { continue };
        let instead = match word.as_str() {
            "now" => "write `now()`",
            "today" => "write `current_date`",
            "tomorrow" => "write `current_date + 1`",
            _ => "write `current_date - 1`",
        };
        findings
            .find(default.at, format!("`{column}` gets the time of this migration, whenever a row is inserted"))
            .note(format!("PostgreSQL reads '{word}' once, when the default is made"))
            .instead(instead);
    }
}

const TIMES: &[&str] = &["date", "time", "timestamp", "timestamptz", "timetz"];

/// The word, if it is the whole default, or has a type of dates or times before or behind it.
fn frozen_word(default: &Expression, data_type: Option<&DataType>) -> Option<String> {
    let tokens = token_list(default.sql());
    let is_time = |token: Option<&Token>| token.is_some_and(|token| TIMES.iter().any(|word| token.is_word(word)));
    let of_time = data_type.is_some_and(|data_type| match &data_type.base {
        BaseType::Builtin(name) => !data_type.array && (name == "date" || name.starts_with("timestamp") || name.starts_with("time ")),
        BaseType::Named(_) => false,
    });
    tokens.iter().enumerate().find_map(|(i, token)| {
        let Token::String(text) = token else { return None };
        let word = text.trim().to_lowercase();
        let before = i.checked_sub(1).and_then(|before| tokens.get(before));
        let cast = tokens.get(i + 1).is_some_and(|next| next.is("::")) && is_time(tokens.get(i + 2));
        let frozen = (tokens.len() == 1 && of_time) || is_time(before) || cast;
        (frozen && matches!(word.as_str(), "now" | "today" | "tomorrow" | "yesterday")).then_some(word)
    })
}
