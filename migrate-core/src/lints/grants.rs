//! The words of statements about roles and privileges.

use super::Context;
use crate::expression::{Token, tokens};
use crate::name::At;
use crate::operation::Operation;
use crate::ops::Right;

/// A word, a literal or a mark of a statement, small, with its place in the migration.
pub(super) struct Word {
    pub(super) text: String,
    pub(super) is_literal: bool,
    pub(super) at: At,
}

/// The words of a statement of one of these kinds that the model has no operation for.
pub(super) fn words(context: &Context<'_>, kinds: &[&str]) -> Option<Vec<Word>> {
    let Some(Operation::Opaque(opaque)) = context.operation() else { return None };
    if !kinds.contains(&opaque.kind.as_str()) {
        return None;
    }
    let start = opaque.sql.at.range().start;
    let word = |(token, place): (Token, std::ops::Range<usize>)| {
        let at = At::new(start + place.start..start + place.end);
        let (text, is_literal) = match token {
            Token::Word(word) => (word, false),
            Token::String(text) => (text, true),
            Token::Quoted(name) => (format!("\"{name}\""), false),
            Token::Number(number) => (number, true),
            Token::Punctuation(mark) => (mark, false),
        };
        Word { text, is_literal, at }
    };
    Some(tokens(opaque.sql.sql()).into_iter().map(word).collect())
}

/// The right that a `grant` gives, and the place in it that a finding points to: of the rights of one statement that share
/// the place, the first alone.
pub(super) fn right<'a>(context: &Context<'a>, place: impl Fn(&Right) -> At) -> Option<(&'a Right, At)> {
    let Some(Operation::Grant(grant)) = context.operation() else { return None };
    let at = place(&grant.right);
    let told = |operation: &Operation| matches!(operation, Operation::Grant(other) if place(&other.right).range() == at.range());
    (!context.earlier().any(|(operation, _)| told(operation))).then_some((&grant.right, at))
}

/// Where this word stands.
pub(super) fn find(words: &[Word], text: &str) -> Option<usize> {
    words.iter().position(|word| !word.is_literal && word.text == text)
}
