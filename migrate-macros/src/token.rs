//! The tokens of the language.

use proc_macro2::Delimiter;

use crate::lexeme::{Gap, Group};
use crate::report::Place;

/// One token of SQL or of a construct of ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    pub kind: TokenKind,
    /// Of a group, its opening delimiter.
    pub place: Place,
    pub gap: Gap,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TokenKind {
    /// An identifier or keyword as it is written.
    Word(String),
    /// `@"Mixed Case"`.
    Quoted(String),
    /// One character of an operator, or a separator.
    Mark(char),
    /// A string; raw ones become dollar quotes.
    Text {
        value: String,
        raw: bool,
    },
    /// A byte string.
    Bytes(Vec<u8>),
    /// A number in decimal digits.
    Number(String),
    /// `/// …`.
    Documentation(String),
    /// `#[…]`.
    Attribute(Vec<Token>),
    Group(Group<Token>),
}

impl Token {
    /// Whether this is the given keyword, in any case.
    pub fn is_word(&self, keyword: &str) -> bool {
        self.word().is_some_and(|word| word.eq_ignore_ascii_case(keyword))
    }

    /// The identifier or keyword.
    pub fn word(&self) -> Option<&str> {
        match &self.kind {
            TokenKind::Word(word) => Some(word),
            _ => None,
        }
    }

    /// The content of a string.
    pub fn text(&self) -> Option<&str> {
        match &self.kind {
            TokenKind::Text { value, .. } => Some(value),
            _ => None,
        }
    }

    pub fn is_mark(&self, character: char) -> bool {
        self.kind == TokenKind::Mark(character)
    }

    pub fn group(&self, delimiter: Delimiter) -> Option<&Group<Token>> {
        match &self.kind {
            TokenKind::Group(group) if group.delimiter == delimiter => Some(group),
            _ => None,
        }
    }

    /// From the opening delimiter of a group to the closing one, else just the token.
    pub fn whole(&self) -> Place {
        match &self.kind {
            TokenKind::Group(group) => self.place.to(group.close),
            _ => self.place,
        }
    }
}
