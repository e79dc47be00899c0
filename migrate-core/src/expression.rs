//! SQL expressions, kept as text.
//!
//! The runtime has no SQL parser, so everything that it must know of an expression (does it mention a column, is it the
//! one that PostgreSQL prints back) is answered from its tokens.

use crate::name::{At, Name, quote_identifier};
use serde::{Deserialize, Serialize};

/// An expression, a query, or another piece of SQL that the model keeps as text.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Expression {
    sql: String,
    /// Where it was written.
    #[serde(skip)]
    pub at: At,
    /// The columns that the grammar sees in it, each where it was written. Only what was just parsed has them.
    #[serde(skip)]
    pub references: Vec<Name>,
}

/// Two expressions are equal when their tokens are.
impl PartialEq for Expression {
    fn eq(&self, other: &Self) -> bool {
        self.sql == other.sql || tokens(&self.sql) == tokens(&other.sql)
    }
}
impl Eq for Expression {}

/// Whether two expressions mean the same, as far as their text tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sameness {
    /// They do.
    Equal,
    /// They don't.
    Different,
    /// Only the server can tell.
    Unknown,
}

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

impl Expression {
    /// An expression that stands nowhere.
    #[must_use]
    pub fn new(sql: impl Into<String>) -> Self {
        Self::written(sql, At::default())
    }

    /// An expression written at `at`.
    #[must_use]
    pub fn written(sql: impl Into<String>, at: At) -> Self {
        Self { sql: sql.into(), at, references: Vec::new() }
    }

    /// Its text.
    #[must_use]
    pub fn sql(&self) -> &str {
        &self.sql
    }

    /// Its text in one spelling for all layouts: tokens with one space between them.
    #[must_use]
    pub fn canonical(&self) -> String {
        tokens(&self.sql).iter().map(|(token, _)| token.sql()).collect::<Vec<_>>().join(" ")
    }

    /// Whether it mentions a column of that name. A function's or a type's name is not a mention.
    #[must_use]
    pub fn mentions(&self, column: &str) -> bool {
        let tokens = tokens(&self.sql);
        (0..tokens.len()).any(|i| is_column(&tokens, i, column))
    }

    /// The identifiers that may be columns.
    #[must_use]
    pub fn columns(&self) -> Vec<String> {
        let tokens = tokens(&self.sql);
        let mut columns = Vec::new();
        for (i, (token, _)) in tokens.iter().enumerate() {
            if let Token::Word(text) | Token::Quoted(text) = token
                && is_column(&tokens, i, text)
                && !columns.contains(text)
            {
                columns.push(text.clone());
            }
        }
        columns
    }

    /// Follows the rename of a column.
    pub fn rename_column(&mut self, from: &str, to: &Name) {
        let tokens = tokens(&self.sql);
        let mut sql = self.sql.clone();
        for i in (0..tokens.len()).rev() {
            if is_column(&tokens, i, from) {
                sql.replace_range(tokens[i].1.clone(), &quote_identifier(to.as_str()));
            }
        }
        self.sql = sql;
        for reference in self.references.iter_mut().filter(|reference| reference.as_str() == from) {
            *reference = to.clone();
        }
    }

    /// Whether the other, e.g. one that PostgreSQL printed from its catalog, means the same.
    ///
    /// PostgreSQL adds parentheses and casts and spells key words in capitals. Where dropping those makes the two equal
    /// and no precedence can hide behind the parentheses, they are equal; two different plain values differ; everything
    /// else is for the server to say.
    #[must_use]
    pub fn compare(&self, other: &Self) -> Sameness {
        let (left, right) = (Shape::of(&self.sql), Shape::of(&other.sql));
        if left.tokens == right.tokens {
            let ambiguous = left.operators > 1 && left.grouping != right.grouping;
            return if ambiguous { Sameness::Unknown } else { Sameness::Equal };
        }
        if left.is_plain() && right.is_plain() { Sameness::Different } else { Sameness::Unknown }
    }
}

impl Token {
    fn sql(&self) -> String {
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

type Spanned = (Token, std::ops::Range<usize>);

fn is_column(tokens: &[Spanned], i: usize, name: &str) -> bool {
    let matches = match &tokens[i].0 {
        Token::Word(text) => text == name && !NOT_COLUMNS.contains(&text.as_str()),
        Token::Quoted(text) => text == name,
        _ => false,
    };
    matches && !has_another_role(tokens, i)
}

/// Whether the identifier at `i` is, by what stands around it, something else than a column: a function, a type, a
/// collation, a qualifier, a field of a composite value, or a part of one of SQL's phrases.
fn has_another_role(tokens: &[Spanned], i: usize) -> bool {
    let next = tokens.get(i + 1).map(|(token, _)| token);
    let called_or_qualifies = next.is_some_and(|next| next.is("(") || next.is("."));
    let types_a_literal = matches!(next, Some(Token::String(_)));
    if called_or_qualifies || types_a_literal {
        return true;
    }
    // the start of `schema.table.column`
    let mut start = i;
    while start >= 2 && tokens[start - 1].0.is(".") && matches!(tokens[start - 2].0, Token::Word(_) | Token::Quoted(_)) {
        start -= 2;
    }
    let Some((before, _)) = start.checked_sub(1).and_then(|before| tokens.get(before)) else { return false };
    let before_is = |words: &[&str]| words.iter().any(|word| before.is_word(word));
    let two_before = start.checked_sub(2).map(|before| &tokens[before].0);
    let two_before_is = |word: &str| two_before.is_some_and(|token| token.is_word(word));
    let (at_time, time_zone) = (next.is_some_and(|next| next.is_word("time")), next.is_some_and(|next| next.is_word("zone")));
    let in_phrase = match &tokens[i].0 {
        Token::Word(word) => match word.as_str() {
            "at" => at_time,
            "time" => before_is(&["at"]) && time_zone,
            "zone" => before_is(&["time"]),
            "unknown" | "document" | "json" | "normalized" => before_is(&["is"]) || (before_is(&["not"]) && two_before_is("is")),
            _ => false,
        },
        _ => false,
    };
    let field = before.is(".");
    let unit_of_interval = matches!(before, Token::String(_)) && two_before_is("interval");
    let field_of_extract = before.is("(") && two_before_is("extract");
    in_phrase || field || before.is("::") || before_is(&["as", "collate"]) || unit_of_interval || field_of_extract
}

/// Words of expressions that are never columns unless they are quoted.
const NOT_COLUMNS: &[&str] = &[
    "and",
    "or",
    "not",
    "is",
    "null",
    "true",
    "false",
    "in",
    "like",
    "ilike",
    "between",
    "symmetric",
    "asymmetric",
    "case",
    "when",
    "then",
    "else",
    "end",
    "any",
    "all",
    "some",
    "array",
    "as",
    "cast",
    "collate",
    "distinct",
    "from",
    "for",
    "similar",
    "to",
    "select",
    "where",
    "with",
    "using",
    "both",
    "leading",
    "trailing",
    "placing",
    "isnull",
    "notnull",
    "current_catalog",
    "current_date",
    "current_role",
    "current_schema",
    "current_time",
    "current_timestamp",
    "current_user",
    "localtime",
    "localtimestamp",
    "session_user",
    "user",
];

/// An expression without what PostgreSQL adds when it prints it.
struct Shape {
    tokens: Vec<Token>,
    /// How many operators it has: with one at the most, parentheses can't change the meaning.
    operators: usize,
    /// Where the grouping parentheses were.
    grouping: Vec<usize>,
}

impl Shape {
    fn of(sql: &str) -> Self {
        let source = token_list(sql);
        let mut out: Vec<Token> = Vec::new();
        let mut open: Vec<bool> = Vec::new();
        let mut grouping = Vec::new();
        let mut i = 0;
        while let Some(token) = source.get(i) {
            if token.is("::") {
                i = skip_type(&source, i + 1);
                continue;
            }
            if token.is("(") {
                let call = match out.last() {
                    Some(Token::Word(word)) => !NOT_COLUMNS.contains(&word.as_str()),
                    Some(Token::Quoted(_)) => true,
                    _ => false,
                };
                open.push(call);
                if call { out.push(token.clone()) } else { grouping.push(out.len()) }
            } else if token.is(")") {
                if open.pop().unwrap_or(true) { out.push(token.clone()) } else { grouping.push(out.len()) }
            } else {
                out.push(spelling(token));
            }
            i += 1;
        }
        let tokens = fold_negative_numbers(out);
        let last = tokens.len();
        // parentheses around the whole group nothing
        while grouping.first() == Some(&0) && grouping.last() == Some(&last) {
            grouping.remove(0);
            grouping.pop();
        }
        let operators = tokens
            .iter()
            .filter(|token| match token {
                Token::Punctuation(text) => !matches!(text.as_str(), "(" | ")" | "," | "." | "[" | "]"),
                Token::Word(word) => matches!(word.as_str(), "and" | "or" | "not" | "is" | "in" | "like" | "between" | "case"),
                _ => false,
            })
            .count();
        Self { tokens, operators, grouping }
    }

    /// A literal, a word, or a call of a function with plain arguments: what needs no server to be told apart.
    fn is_plain(&self) -> bool {
        self.operators == 0 && !self.tokens.iter().any(|token| matches!(token, Token::Word(word) if word == "array" || word == "select"))
    }
}

/// `-1` is printed as `'-1'::integer`, and numbers may be written as strings.
fn fold_negative_numbers(tokens: Vec<Token>) -> Vec<Token> {
    let mut out: Vec<Token> = Vec::new();
    for token in tokens {
        match token {
            Token::Number(number) => {
                let negative = out.last().is_some_and(|last| last.is("-"))
                    && out.iter().rev().nth(1).is_none_or(|before| matches!(before, Token::Punctuation(text) if text != ")"));
                if negative {
                    out.pop();
                    out.push(Token::String(format!("-{number}")));
                } else {
                    out.push(Token::String(number));
                }
            }
            token => out.push(token),
        }
    }
    out
}

fn spelling(token: &Token) -> Token {
    match token {
        Token::Quoted(text) if quote_identifier(text) == *text => Token::Word(text.clone()),
        Token::Punctuation(text) if text == "!=" => Token::Punctuation("<>".to_owned()),
        token => token.clone(),
    }
}

/// The index after the type that starts at `i`.
fn skip_type(tokens: &[Token], mut i: usize) -> usize {
    let word = |i: usize| match tokens.get(i) {
        Some(Token::Word(word)) => Some(word.as_str()),
        Some(Token::Quoted(_)) => Some(""),
        _ => None,
    };
    if word(i).is_none() {
        return i;
    }
    i += 1;
    while tokens.get(i).is_some_and(|token| token.is(".")) && word(i + 1).is_some() {
        i += 2;
    }
    if matches!(word(i), Some("varying" | "precision")) {
        i += 1;
    }
    if tokens.get(i).is_some_and(|token| token.is("(")) {
        while tokens.get(i).is_some_and(|token| !token.is(")")) {
            i += 1;
        }
        i += 1;
    }
    if matches!(word(i), Some("with" | "without")) && word(i + 1) == Some("time") {
        i += 3;
    }
    while tokens.get(i).is_some_and(|token| token.is("[")) && tokens.get(i + 1).is_some_and(|token| token.is("]")) {
        i += 2;
    }
    i
}

/// The tokens of `sql`.
pub(crate) fn token_list(sql: &str) -> Vec<Token> {
    tokens(sql).into_iter().map(|(token, _)| token).collect()
}

/// The tokens of `sql` with their places. Comments are left out; what can't be read is one token a character.
fn tokens(sql: &str) -> Vec<Spanned> {
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
            let operator = |b: u8| b"+-*/<>=~!@#%^&|`?:".contains(&b);
            let length = if operator(first) { rest.bytes().position(|b| !operator(b)).unwrap_or(rest.len()) } else { 1 };
            i += length;
            Token::Punctuation(rest[..length].to_owned())
        };
        out.push((token, start..i));
    }
    out
}

fn quoted(text: &str, quote: char, escapes: bool) -> (String, usize) {
    let mut out = String::new();
    let mut characters = text.char_indices().skip(1).peekable();
    while let Some((i, c)) = characters.next() {
        if escapes && c == '\\' {
            out.push(c);
            out.extend(characters.next().map(|(_, c)| c));
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

fn dollar_tag(text: &str) -> Option<&str> {
    let end = text[1..].find('$')? + 2;
    let tag = &text[..end];
    tag[1..end - 1].chars().all(|c| c.is_alphanumeric() || c == '_').then_some(tag)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compare(model: &str, live: &str) -> Sameness {
        Expression::new(model).compare(&Expression::new(live))
    }

    #[test]
    fn what_postgresql_adds_changes_nothing() {
        for (model, live) in [
            ("'pending'", "'pending'::text"),
            ("'pending'", "'pending'::character varying"),
            ("now()", "now()"),
            ("current_timestamp", "CURRENT_TIMESTAMP"),
            ("-1", "'-1'::integer"),
            ("price > 0", "(price > 0)"),
            ("price > 0", "(price > (0)::numeric)"),
            ("'{}'::jsonb", "'{}'::jsonb"),
            ("nextval('a_id_seq')", "nextval('a_id_seq'::regclass)"),
            ("'x'", "'x'::timestamp(3) with time zone"),
            ("a != 1", "(a <> 1)"),
        ] {
            assert_eq!(compare(model, live), Sameness::Equal, "{model} / {live}");
        }
    }

    #[test]
    fn plain_values_differ() {
        for (model, live) in [("'a'", "'b'::text"), ("0", "1"), ("now()", "gen_random_uuid()"), ("true", "false")] {
            assert_eq!(compare(model, live), Sameness::Different, "{model} / {live}");
        }
    }

    #[test]
    fn parentheses_that_may_change_the_meaning_are_for_the_server() {
        assert_eq!(compare("(a or b) and c", "(a OR (b AND c))"), Sameness::Unknown);
        assert_eq!(compare("a in ('x', 'y')", "(a = ANY (ARRAY['x'::text, 'y'::text]))"), Sameness::Unknown);
    }

    #[test]
    fn renames_columns_and_nothing_else() {
        let mut expression = Expression::new("lower(title) || title::title || 'title' || t.title || title('x')");
        expression.rename_column("title", &Name::new("Heading"));
        assert_eq!(expression.sql(), "lower(\"Heading\") || \"Heading\"::title || 'title' || t.\"Heading\" || title('x')");
    }

    #[test]
    fn mentions_ignore_functions_and_types() {
        let expression = Expression::new("count(total)::total + \"Sum\"");
        assert!(expression.mentions("Sum"));
        assert!(expression.mentions("total"));
        assert!(!Expression::new("total(x)::total").mentions("total"));
        assert!(!Expression::new("'total'").mentions("total"));
    }

    #[test]
    fn words_of_phrases_are_no_columns() {
        for (sql, column) in [
            ("extract(year from signed) > 2000", "year"),
            ("signed at time zone 'utc' > '2000-01-01'", "time"),
            ("signed at time zone 'utc' > '2000-01-01'", "zone"),
            ("signed > date '2000-01-01'", "date"),
            ("signed > now() - interval '1' year", "year"),
            ("cast(signed as public.moment) > 0", "moment"),
            ("signed::public.moment > 0", "moment"),
            ("(place).city <> ''", "city"),
            ("title collate german > ''", "german"),
            ("done is not unknown", "unknown"),
        ] {
            assert!(!Expression::new(sql).mentions(column), "{sql}");
        }
        for (sql, column) in [("t.year > 1", "year"), ("public.t.year > 1", "year"), ("at at time zone zone", "at"), ("(date) > x", "date")]
        {
            assert!(Expression::new(sql).mentions(column), "{sql}");
        }
    }

    #[test]
    fn never_panics_on_odd_text() {
        for text in ["'", "\"", "$", "$$", "$a$", "é", "e'\\", "--", "/*", "::", "(", ")", "1e", ".", "\u{fffd}'"] {
            let expression = Expression::new(text);
            let _ = (expression.canonical(), expression.mentions("a"), expression.compare(&Expression::new("(1)")));
        }
    }
}
