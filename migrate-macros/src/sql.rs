//! SQL text, and the way back from its bytes to the tokens.

use std::ops::Range;

use proc_macro2::Delimiter;

use crate::lexeme::{Gap, Group};
use crate::report::{Place, Report};
use crate::token::{Token, TokenKind};

/// One SQL statement as text, with a map from every byte of it to the token it was made from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SqlText {
    /// What PostgreSQL or SQLite reads. Line breaks and indentation are those of the source.
    pub text: String,
    /// The tokens in ascending order; between them is only white space.
    pub map: Vec<(Range<usize>, Place)>,
}

impl SqlText {
    /// Writes tokens as SQL. Attributes and braces have no meaning inside a statement and are reported.
    pub fn from_tokens(tokens: &[Token], report: &mut Report) -> Self {
        let mut writer = Writer { sql: Self::default(), margin: margin(tokens), report };
        writer.tokens(tokens);
        writer.sql
    }

    /// The tokens that a range of the text overlaps. An empty range stands for the token that starts there, else for
    /// the one before it.
    pub fn place(&self, range: Range<usize>) -> Place {
        let first = self.map.partition_point(|(token, _)| token.end <= range.start);
        let last = self.map.partition_point(|(token, _)| token.start < range.end.max(range.start.saturating_add(1)));
        let overlapped = self.map.get(first..last).unwrap_or_default();
        if let (Some((_, first)), Some((_, last))) = (overlapped.first(), overlapped.last()) {
            return first.to(*last);
        }
        let nearest = self.map.get(first.saturating_sub(1)).or(self.map.last());
        nearest.map_or(Place::CALL_SITE, |(_, place)| *place)
    }
}

struct Writer<'a> {
    sql: SqlText,
    margin: usize,
    report: &'a mut Report,
}

impl Writer<'_> {
    fn tokens(&mut self, tokens: &[Token]) {
        for token in tokens {
            self.token(token);
        }
    }

    fn token(&mut self, token: &Token) {
        match &token.kind {
            TokenKind::Word(word) | TokenKind::Number(word) => self.piece(word, token.place, token.gap),
            TokenKind::Mark(mark) => self.piece(mark.encode_utf8(&mut [0; 4]), token.place, token.gap),
            TokenKind::Quoted(name) => self.piece(&quoted(name, '"'), token.place, token.gap),
            TokenKind::Text { value, raw: false } => self.piece(&quoted(value, '\''), token.place, token.gap),
            TokenKind::Text { value, raw: true } => self.piece(&dollar_quoted(value), token.place, token.gap),
            TokenKind::Bytes(bytes) => self.piece(&hexadecimal(bytes), token.place, token.gap),
            TokenKind::Documentation(_) => {}
            TokenKind::Attribute(_) => self.report.attribute_inside_statement(token.place),
            TokenKind::Group(group) => self.group(group, token),
        }
    }

    fn group(&mut self, group: &Group<Token>, token: &Token) {
        let (open, close) = match group.delimiter {
            Delimiter::Parenthesis => ("(", ")"),
            Delimiter::Bracket => ("[", "]"),
            Delimiter::Brace | Delimiter::None => {
                self.report.braces_inside_statement(token.whole());
                return;
            }
        };
        self.piece(open, token.place, token.gap);
        self.tokens(&group.tokens);
        self.piece(close, group.close, group.close_gap);
    }

    fn piece(&mut self, piece: &str, place: Place, gap: Gap) {
        if !self.sql.map.is_empty() {
            match gap {
                Gap::Touching if self.would_merge(piece) => self.sql.text.push(' '),
                Gap::Touching => {}
                Gap::Space => self.sql.text.push(' '),
                Gap::Line { column } => {
                    self.sql.text.push('\n');
                    self.sql.text.extend(std::iter::repeat_n(' ', column.saturating_sub(self.margin)));
                }
            }
        }
        let start = self.sql.text.len();
        self.sql.text.push_str(piece);
        self.sql.map.push((start..self.sql.text.len(), place));
    }

    /// Tokens that other macros put together may touch without being one. In SQL they would become another token or
    /// the start of a comment.
    fn would_merge(&self, piece: &str) -> bool {
        let is_name = |character: char| character.is_alphanumeric() || character == '_' || !character.is_ascii();
        match (self.sql.text.chars().next_back(), piece.chars().next()) {
            (Some('-'), Some('-')) | (Some('/'), Some('*')) | (Some('"'), Some('"')) | (Some('\''), Some('\'')) => true,
            (Some(before), Some('$')) => is_name(before) && piece.len() > 1,
            (Some('$'), Some(after)) => after == '$' || self.sql.text.ends_with("$$") && is_name(after),
            (Some(before), Some(after)) => is_name(before) && is_name(after),
            _ => false,
        }
    }
}

/// The leftmost column of any line of the statement.
fn margin(tokens: &[Token]) -> usize {
    fn lines(tokens: &[Token], margin: &mut usize) {
        for token in tokens {
            let mut line = |gap| {
                if let Gap::Line { column } = gap {
                    *margin = (*margin).min(column);
                }
            };
            line(token.gap);
            if let TokenKind::Group(group) = &token.kind {
                line(group.close_gap);
                lines(&group.tokens, margin);
            }
        }
    }
    let mut margin = usize::MAX;
    lines(tokens, &mut margin);
    margin
}

fn quoted(content: &str, quote: char) -> String {
    let mut doubled = String::with_capacity(content.len() + 2);
    doubled.push(quote);
    for character in content.chars() {
        if character == quote {
            doubled.push(quote);
        }
        doubled.push(character);
    }
    doubled.push(quote);
    doubled
}

/// A raw string keeps its look: it becomes a dollar quote under the shortest tag that the content leaves free.
fn dollar_quoted(content: &str) -> String {
    let mut number = 0_usize;
    let mut tag = "$$".to_owned();
    // The content may also end with the beginning of the tag and so close the string too early.
    while format!("{content}{tag}").find(&tag) != Some(content.len()) {
        number += 1;
        tag = if number == 1 { "$body$".to_owned() } else { format!("$body{number}$") };
    }
    format!("{tag}{content}{tag}")
}

fn hexadecimal(bytes: &[u8]) -> String {
    let digit = |value: u8| char::from_digit(u32::from(value), 16).unwrap_or('0');
    let digits: String = bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect();
    format!(r"'\x{digits}'")
}
