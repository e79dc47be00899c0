//! SQL text as tokens: all that is known of an expression where there is no parser.

use crate::name::quote_identifier;
use std::ops::Range;

/// A token of SQL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Token {
    /// An unquoted word, lower-cased.
    Word(String),
    /// A quoted identifier, unquoted.
    Quoted(String),
    /// A string literal, unquoted.
    String(String),
    /// A number.
    Number(String),
    /// An operator or a punctuation mark.
    Punctuation(String),
}

impl Token {
    pub(super) fn sql(&self) -> String {
        match self {
            Self::Word(text) | Self::Number(text) | Self::Punctuation(text) => text.clone(),
            Self::Quoted(text) => quote_identifier(text),
            Self::String(text) => crate::name::quote_literal(text),
        }
    }

    pub(crate) fn is(&self, punctuation: &str) -> bool {
        matches!(self, Self::Punctuation(text) if text == punctuation)
    }

    pub(crate) fn is_word(&self, word: &str) -> bool {
        matches!(self, Self::Word(text) if text == word)
    }
}

/// A token with its place in the text.
pub(crate) type Spanned = (Token, Range<usize>);

/// The tokens of `sql` with their places. Comments are left out; what can't be read is one token a character.
pub(crate) fn tokens(sql: &str) -> Vec<Spanned> {
    let bytes = sql.as_bytes();
    let mut out = Vec::new();
    let mut i = 0;
    while i < bytes.len() {
        let start = i;
        let rest = &sql[i..];
        let first = bytes[i];
        if first.is_ascii_whitespace() {
            i += 1;
            continue;
        }
        if rest.starts_with("--") {
            i += rest.find('\n').unwrap_or(rest.len());
            continue;
        }
        if rest.starts_with("/*") {
            i += rest.find("*/").map_or(rest.len(), |end| end + 2);
            continue;
        }
        let token = if first == b'\'' || ((first | 0x20) == b'e' && bytes.get(i + 1) == Some(&b'\'')) {
            let escapes = first != b'\'';
            let (text, length) = quoted(&rest[usize::from(escapes)..], '\'', escapes);
            i += length + usize::from(escapes);
            Token::String(text)
        } else if first == b'"' {
            let (text, length) = quoted(rest, '"', false);
            i += length;
            Token::Quoted(text)
        } else if first == b'$' && dollar_tag(rest).is_some() {
            let tag = dollar_tag(rest).unwrap_or_default();
            let body = &rest[tag.len()..];
            let end = body.find(tag).unwrap_or(body.len());
            i += (tag.len() + end + tag.len()).min(rest.len());
            Token::String(body[..end].to_owned())
        } else if first.is_ascii_digit() || (first == b'.' && bytes.get(i + 1).is_some_and(u8::is_ascii_digit)) {
            let mut previous = 0;
            let length = rest
                .bytes()
                .position(|b| {
                    let sign = (b == b'-' || b == b'+') && (previous | 0x20) == b'e';
                    previous = b;
                    !(b.is_ascii_alphanumeric() || b == b'.' || b == b'_' || sign)
                })
                .unwrap_or(rest.len());
            i += length;
            Token::Number(rest[..length].to_owned())
        } else if first.is_ascii_alphabetic() || first == b'_' || first >= 0x80 {
            let length = rest.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '$')).unwrap_or(rest.len()).max(1);
            let length = (length..=rest.len()).find(|&n| rest.is_char_boundary(n)).unwrap_or(rest.len());
            i += length;
            Token::Word(rest[..length].to_lowercase())
        } else {
            let length = punctuation(rest);
            i += length;
            Token::Punctuation(rest[..length].to_owned())
        };
        out.push((token, start..i));
    }
    out
}

/// The length of the operator or punctuation mark that `rest` begins with, by the rules of PostgreSQL's lexer: an operator
/// ends where a comment begins, and `a=-1` is `a = -1`.
fn punctuation(rest: &str) -> usize {
    if rest.starts_with("::") || rest.starts_with(":=") {
        return 2;
    }
    let run = rest.bytes().position(|b| !b"+-*/<>=~!@#%^&|`?".contains(&b)).unwrap_or(rest.len());
    let comment = ["--", "/*"].iter().filter_map(|mark| rest[..run].find(mark)).min();
    let mut length = comment.unwrap_or(run);
    let signs_may_end = rest[..length].bytes().any(|b| b"~!@#%^&|`?".contains(&b));
    while length > 1 && !signs_may_end && matches!(rest.as_bytes()[length - 1], b'+' | b'-') {
        length -= 1;
    }
    length.max(rest.chars().next().map_or(1, char::len_utf8))
}

/// The inside of a quoted text and the length of the whole. With `escapes` it is an `E'…'`.
fn quoted(text: &str, quote: char, escapes: bool) -> (String, usize) {
    let mut out = String::new();
    let mut characters = text.char_indices().skip(1).peekable();
    while let Some((i, c)) = characters.next() {
        if escapes && c == '\\' {
            let (character, length) = unescaped(&text[i + 1..]);
            out.extend(character);
            while characters.next_if(|(next, _)| *next <= i + length).is_some() {}
        } else if c != quote {
            out.push(c);
        } else if characters.peek().is_some_and(|(_, next)| *next == quote) {
            characters.next();
            out.push(quote);
        } else {
            return (out, i + c.len_utf8());
        }
    }
    (out, text.len())
}

/// What the characters behind a backslash mean, and how many bytes they are.
fn unescaped(rest: &str) -> (Option<char>, usize) {
    let Some(first) = rest.chars().next() else { return (None, 0) };
    let digits = |skip: usize, most: usize, radix: u32| {
        let digits = rest.get(skip..).unwrap_or_default();
        let length = digits.bytes().take(most).take_while(|b| char::from(*b).is_digit(radix)).count();
        let character = u32::from_str_radix(&digits[..length], radix).ok().and_then(char::from_u32);
        (character.or(Some(first)), if character.is_some() { skip + length } else { first.len_utf8() })
    };
    match first {
        'n' => (Some('\n'), 1),
        't' => (Some('\t'), 1),
        'r' => (Some('\r'), 1),
        'b' => (Some('\u{8}'), 1),
        'f' => (Some('\u{c}'), 1),
        'x' => digits(1, 2, 16),
        'u' => digits(1, 4, 16),
        'U' => digits(1, 8, 16),
        '0'..='7' => digits(0, 3, 8),
        other => (Some(other), other.len_utf8()),
    }
}

fn dollar_tag(text: &str) -> Option<&str> {
    let end = text[1..].find('$')? + 2;
    let tag = &text[..end];
    tag[1..end - 1].chars().all(|c| c.is_alphanumeric() || c == '_').then_some(tag)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operators_end_where_postgresql_ends_them() {
        let read = |sql| tokens(sql).iter().map(|(token, _)| token.sql()).collect::<Vec<_>>().join(" ");
        assert_eq!(read("a=-1"), "a = - 1");
        assert_eq!(read("a@-1"), "a @- 1");
        assert_eq!(read("a*--b\nc"), "a * c");
        assert_eq!(read("a[1:2]::text=b"), "a [ 1 : 2 ] :: text = b");
        assert_eq!(read("a#>>'{b}'"), "a #>> '{b}'");
    }

    #[test]
    fn strings_are_known_by_what_they_say() {
        for (sql, text) in [("'it''s'", "it's"), (r"E'a\n\'\x41\u00e9\\'", "a\n'Aé\\"), (r"'a\n'", r"a\n"), ("$q$it's$q$", "it's")] {
            assert_eq!(tokens(sql), [(Token::String(text.to_owned()), 0..sql.len())], "{sql}");
        }
    }
}
