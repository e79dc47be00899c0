//! `#![allow(lint, reason = "…")]`, `#![warn(lint)]`, `#![deny(lint)]`: what a chain says about lints.

use migrate_core::lints::{self, Level, Levels};
use proc_macro2::{Delimiter, TokenTree};

use crate::grammar;
use crate::report::Report;
use crate::spelling;
use crate::token::Token;

/// What stands for every lint: a chain that begins to be judged says `#![warn(all)]` until its history is locked.
const ALL: &str = "all";

/// Reads the inner attributes at the start of a list, and says how many tokens they are.
pub fn read(trees: &[TokenTree], report: &mut Report) -> (Levels, usize) {
    let mut levels = Levels::default();
    let mut taken = 0;
    while let Some([TokenTree::Punct(hash), TokenTree::Punct(mark), TokenTree::Group(attribute), ..]) = trees.get(taken..)
        && hash.as_char() == '#'
        && mark.as_char() == '!'
        && attribute.delimiter() == Delimiter::Bracket
    {
        // places are given out in the order of the source
        let place = report.place(hash.span());
        let tokens = spelling::read(attribute.stream(), report);
        let whole = tokens.last().map_or(place, |last| place.to(last.whole()));
        let level = match tokens.first().and_then(Token::word).unwrap_or_default() {
            "allow" => Some(Level::Allow),
            "warn" => Some(Level::Warn),
            "deny" => Some(Level::Deny),
            other => {
                report.unknown_list_attribute(whole, other);
                None
            }
        };
        if let Some(level) = level
            && let Some((names, reason)) = grammar::lint_arguments(&tokens, whole, report)
        {
            if level == Level::Allow && reason.is_none() {
                report.allow_without_reason(whole);
            }
            for name in names {
                match lints::find(&name.value) {
                    _ if name.value == ALL => lints::LINTS.iter().for_each(|lint| levels.set(lint.name, level)),
                    Some(lint) => levels.set(lint.name, level),
                    None => report.unknown_lint(name.place, &name.value, lints::nearest(&name.value)),
                }
            }
        }
        taken += 3;
    }
    (levels, taken)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn levels(source: &str) -> (Vec<Level>, Vec<String>) {
        let mut report = Report::new();
        let trees: Vec<TokenTree> = source.parse::<proc_macro2::TokenStream>().expect("tokens").into_iter().collect();
        let (levels, _) = read(&trees, &mut report);
        let of = |name| lints::find(name).map(|lint| levels.of(lint)).expect("a lint");
        let problems = report.problems().iter().map(|problem| problem.message.clone()).collect();
        (vec![of("ban_drop_column"), of("prefer_timestamptz")], problems)
    }

    #[test]
    fn the_chain_sets_levels() {
        let source = r#"#![allow(ban_drop_column, reason = "nothing is deployed yet")] #![deny(prefer_timestamptz)] mod a;"#;
        assert_eq!(levels(source), (vec![Level::Allow, Level::Deny], vec![]));
        assert_eq!(levels("mod a;").0, [Level::Deny, Level::Warn]);
    }

    #[test]
    fn all_of_them_are_set_at_once_and_some_of_them_again() {
        let source = r#"#![allow(all, reason = "a history of ten years")] #![deny(ban_drop_column)] mod a;"#;
        assert_eq!(levels(source), (vec![Level::Deny, Level::Allow], vec![]));
    }

    #[test]
    fn every_mistake_is_reported() {
        let (levels, problems) = levels("#![allow(ban_drop_column)] #![deny(prefer_timestamps)] #![forbid(x)] #![warn]");
        assert_eq!(levels, [Level::Allow, Level::Warn]);
        assert_eq!(problems.len(), 4, "{problems:?}");
    }
}
