//! Expressions and queries: PostgreSQL's → SQLite's.
//!
//! What SQLite says otherwise is rewritten: casts, `now()`, `gen_random_uuid()`, `= any (array[…])`, `ilike`, the schema
//! `public`. What it can't say is refused. What it says the same way stays as it was written, to the letter; so does what
//! was SQLite's own to begin with.
//!
//! `like` is not the same: SQLite's takes no notice of the case of ASCII letters.

use super::Unsupported;
use super::cast::cast;
use super::functions::{self, Call};
use crate::expression::{Expression, Spanned, Token, read_type, tokens};
use crate::name::quote_literal;
use crate::schema::Schema;
use std::ops::Range;

/// An expression, of a default, a check, an index, a generated column. `schema` knows the enums.
pub(super) fn expression(source: &Expression, schema: &Schema) -> Result<Expression, Unsupported> {
    let sql = translate(source.sql(), schema, true)?;
    Ok(Expression::written(unwrapped(&sql), source.at))
}

/// An expression that SQLite must be able to compute again: it takes no current time and no random number there.
pub(super) fn deterministic(source: &Expression, schema: &Schema) -> Result<Expression, Unsupported> {
    let translated = expression(source, schema)?;
    let varies = tokens(translated.sql()).into_iter().find_map(|(token, _)| match token {
        Token::Word(word) if VARYING.contains(&word.as_str()) => Some(word),
        _ => None,
    });
    match varies {
        Some(word) => Err(Unsupported::new(format!("SQLite takes `{word}` in a default only: its value varies"))),
        None => Ok(translated),
    }
}

const VARYING: &[&str] = &["current_timestamp", "current_date", "current_time", "random", "randomblob"];

/// A query of a view.
pub(super) fn query(source: &Expression, schema: &Schema) -> Result<Expression, Unsupported> {
    Ok(Expression::written(translate(source.sql(), schema, true)?, source.at))
}

/// A statement that changes data. SQLite itself refuses the functions that it lacks, so the application's own may stand in it.
pub(super) fn statement(sql: &str, schema: &Schema) -> Result<String, Unsupported> {
    let changes = |pair: &[Spanned]| {
        pair[0].0.is("(") && matches!(&pair[1].0, Token::Word(word) if matches!(word.as_str(), "insert" | "update" | "delete"))
    };
    if tokens(sql).windows(2).any(changes) {
        return Err(Unsupported::new("SQLite changes no data inside of a query"));
    }
    translate(&with_as(sql), schema, false)
}

/// `update documents d set` → `update documents as d set`: SQLite demands the word.
fn with_as(sql: &str) -> String {
    let tokens = tokens(sql);
    let set = tokens.iter().position(|(token, _)| token.is_word("set")).filter(|set| *set > 2);
    let words = |i: usize| matches!(tokens[i].0, Token::Word(_) | Token::Quoted(_));
    match set {
        Some(set) if tokens[0].0.is_word("update") && words(set - 1) && words(set - 2) && !tokens[set - 2].0.is_word("as") => {
            let alias = tokens[set - 1].1.start;
            format!("{}as {}", &sql[..alias], &sql[alias..])
        }
        _ => sql.to_owned(),
    }
}

fn translate(sql: &str, schema: &Schema, strict: bool) -> Result<String, Unsupported> {
    let tokens = tokens(sql);
    let plain = tokens.iter().map(|(token, _)| token.clone()).collect();
    let translator = Translator { source: sql, tokens: &tokens, plain, schema, strict };
    translator.run(0..tokens.len())
}

/// Without parentheses around the whole.
fn unwrapped(sql: &str) -> String {
    let mut sql = sql.trim();
    loop {
        let tokens = tokens(sql);
        let whole = tokens.first().is_some_and(|(token, _)| token.is("(")) && close(&tokens, 0) == Some(tokens.len() - 1);
        if !whole || tokens.len() < 3 {
            return sql.to_owned();
        }
        sql = sql[tokens[0].1.end..tokens[tokens.len() - 1].1.start].trim();
    }
}

/// The index of the bracket that closes the one at `open`.
pub(super) fn close(tokens: &[Spanned], open: usize) -> Option<usize> {
    let mut depth = 0_usize;
    for (i, (token, _)) in tokens.iter().enumerate().skip(open) {
        match token {
            Token::Punctuation(mark) if mark == "(" || mark == "[" => depth += 1,
            Token::Punctuation(mark) if mark == ")" || mark == "]" => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return Some(i);
                }
            }
            _ => {}
        }
    }
    None
}

struct Translator<'a> {
    source: &'a str,
    tokens: &'a [Spanned],
    plain: Vec<Token>,
    schema: &'a Schema,
    /// Whether unknown functions and the operators on bits are refused.
    strict: bool,
}

/// A piece of the translation, and the index of the token behind what it stands for.
type Piece = (String, usize);

impl Translator<'_> {
    fn run(&self, range: Range<usize>) -> Result<String, Unsupported> {
        let mut out = String::new();
        // where the last operand starts: a cast binds tighter than everything else
        let mut operand = 0;
        let mut i = range.start;
        while i < range.end {
            if self.is(i, "::") {
                let (end, data_type) = read_type(&self.plain, i + 1);
                let cast = cast(&out[operand..], &data_type, self.schema)?;
                out.truncate(operand);
                out.push_str(&cast);
                i = end;
                continue;
            }
            if i > range.start {
                out.push_str(self.space_before(i));
            }
            let continues = i > range.start && self.is(i - 1, ".");
            let start = out.len();
            let (piece, next) = self.piece(i, range.end)?;
            if piece.is_empty() {
                out.truncate(out.trim_end().len());
            }
            out.push_str(&piece);
            if !continues && !piece.is_empty() && !self.is(i, ".") {
                operand = start;
            }
            i = next;
        }
        Ok(out)
    }

    /// The translation of what starts at token `i`.
    fn piece(&self, i: usize, end: usize) -> Result<Piece, Unsupported> {
        let Some((token, _)) = self.tokens.get(i).filter(|_| i < end) else { return Ok((String::new(), end)) };
        match token {
            Token::String(text) => Ok((self.string(i, text), i + 1)),
            Token::Number(number) => Ok((number.clone(), i + 1)),
            Token::Word(word) => self.word(i, word, end),
            Token::Quoted(_) => match self.qualified_call(i) {
                Some(name) => self.piece(name, end),
                None => Ok((self.text(i..i + 1), i + 1)),
            },
            Token::Punctuation(mark) if mark == "(" => {
                let close = close(self.tokens, i).filter(|close| *close < end).unwrap_or(end);
                let inner = self.run(i + 1..close)?;
                Ok((format!("({inner})"), close + 1))
            }
            Token::Punctuation(mark) => self.operator(i, mark, end),
        }
    }

    /// A string, without escapes and dollars.
    fn string(&self, i: usize, text: &str) -> String {
        let source = self.text(i..i + 1);
        if source.starts_with('\'') { source } else { quote_literal(text) }
    }

    fn operator(&self, i: usize, mark: &str, end: usize) -> Result<Piece, Unsupported> {
        let list = match (mark, self.word_at(i + 1)) {
            ("=", Some("any" | "some")) => Some("in"),
            ("<>" | "!=", Some("all")) => Some("not in"),
            _ => None,
        };
        if let Some(list) = list {
            return self.array_test(i + 2, list, end);
        }
        // the lexer takes the sign of a number for a part of the operator before it
        let operator = match mark.trim_end_matches(['+', '-']) {
            "" => mark,
            trimmed => trimmed,
        };
        let known = matches!(
            operator,
            "+" | "-" | "*" | "/" | "%" | "<" | ">" | "<=" | ">=" | "=" | "==" | "<>" | "!=" | "||" | "->" | "->>" | "." | "," | ")" | ";"
        );
        let bits = matches!(operator, "&" | "|" | "<<" | ">>") || (operator == "~" && !self.strict);
        if known || bits || mark.bytes().all(|byte| byte == b'-' || byte == b'+') {
            return Ok((mark.to_owned(), i + 1));
        }
        Err(Unsupported::new(match operator {
            "[" => "SQLite has no arrays".to_owned(),
            operator => format!("SQLite has no operator `{operator}`"),
        }))
    }

    /// `= any (array['a', 'b'])` → `in ('a', 'b')`: so PostgreSQL prints lists.
    fn array_test(&self, open: usize, list: &str, end: usize) -> Result<Piece, Unsupported> {
        let refused = || Unsupported::new("SQLite has no arrays");
        let close_test = close(self.tokens, open).filter(|close| self.is(open, "(") && *close < end).ok_or_else(refused)?;
        let array = (open + 1..close_test).find(|&i| !self.is(i, "(")).ok_or_else(refused)?;
        if self.word_at(array) != Some("array") || !self.is(array + 1, "[") {
            return Err(refused());
        }
        let close_array = close(self.tokens, array + 1).ok_or_else(refused)?;
        let items = self.run(array + 2..close_array)?;
        Ok((format!("{list} ({items})"), close_test + 1))
    }

    fn word(&self, i: usize, word: &str, end: usize) -> Result<Piece, Unsupported> {
        if let Some(name) = self.qualified_call(i) {
            return self.piece(name, end);
        }
        if matches!(word, "public" | "pg_catalog") && self.is(i + 1, ".") {
            return self.piece(i + 2, end);
        }
        if self.is(i + 1, "(")
            && let Some(close) = close(self.tokens, i + 1).filter(|close| *close < end)
            && let Some(piece) = self.call(i, word, close)?
        {
            return Ok((piece, close + 1));
        }
        if let Some(Token::String(text)) = self.tokens.get(i + 1).map(|(token, _)| token) {
            match word {
                "x" => return Ok((self.text(i..i + 2), i + 2)),
                "b" => return Err(Unsupported::new("SQLite has no bit strings")),
                "interval" => return Err(Unsupported::new("SQLite has no intervals")),
                "date" | "time" | "timestamp" | "timestamptz" => return Ok((self.string(i + 1, text), i + 2)),
                _ => {}
            }
        }
        match word {
            "at" if self.word_at(i + 1) == Some("time") && self.word_at(i + 2) == Some("zone") => self.at_time_zone(i + 3),
            "array" if self.is(i + 1, "[") => Err(Unsupported::new("SQLite has no arrays")),
            "current_timestamp" | "localtimestamp" => Ok(("CURRENT_TIMESTAMP".to_owned(), i + 1)),
            "current_date" => Ok(("CURRENT_DATE".to_owned(), i + 1)),
            "current_time" | "localtime" => Ok(("CURRENT_TIME".to_owned(), i + 1)),
            "ilike" => Ok(("like".to_owned(), i + 1)),
            "current_user" | "session_user" | "similar" | "lateral" | "overlaps" => {
                Err(Unsupported::new(format!("SQLite has no `{word}`")))
            }
            _ => Ok((self.text(i..i + 1), i + 1)),
        }
    }

    /// SQLite's times are in UTC already; other zones it doesn't know.
    fn at_time_zone(&self, zone: usize) -> Result<Piece, Unsupported> {
        match self.tokens.get(zone).map(|(token, _)| token) {
            Some(Token::String(text)) if text.eq_ignore_ascii_case("utc") => {
                let behind = if self.is(zone + 1, "::") { read_type(&self.plain, zone + 2).0 } else { zone + 1 };
                Ok((String::new(), behind))
            }
            _ => Err(Unsupported::new("SQLite knows no time zone but UTC")),
        }
    }

    /// `extensions.gen_random_uuid(`: the index of the function's name.
    fn qualified_call(&self, i: usize) -> Option<usize> {
        let qualified = self.is(i + 1, ".") && self.is(i + 3, "(");
        (qualified && matches!(self.tokens.get(i + 2)?.0, Token::Word(_))).then_some(i + 2)
    }

    /// A call of the function `name`; `None` if the word before the parenthesis is none.
    fn call(&self, i: usize, name: &str, close: usize) -> Result<Option<String>, Unsupported> {
        let arguments = i + 2..close;
        let alias = self.word_at(close + 1) == Some("as") && self.is(close + 2, "(");
        let call = match functions::call(name) {
            Call::Unknown if alias || !self.strict => Call::Same,
            call => call,
        };
        Ok(Some(match call {
            Call::Word => return Ok(None),
            Call::Value(value) => value.to_owned(),
            Call::Same => format!("{}{}({})", self.text(i..i + 1), self.space_before(i + 1), self.run(arguments)?),
            Call::Renamed(to) => {
                if arguments.clone().any(|i| matches!(self.word_at(i), Some("from" | "for"))) {
                    return Err(Unsupported::new(format!("SQLite has no function `{name}` with `from` or `for`")));
                }
                format!("{to}({})", self.run(arguments)?)
            }
            Call::Cast => {
                let split = arguments.clone().rev().find(|&i| self.word_at(i) == Some("as")).unwrap_or(arguments.end);
                let operand = self.run(arguments.start..split)?;
                cast(&operand, &read_type(&self.plain, split + 1).1, self.schema)?
            }
            Call::TimeZone => {
                let (zone, behind) = self.at_time_zone(arguments.start)?;
                let time = self.run((behind + 1).min(arguments.end)..arguments.end)?;
                format!("{zone}{time}")
            }
            Call::Unknown => return Err(Unsupported::new(format!("SQLite has no function `{name}`"))),
        }))
    }

    fn is(&self, i: usize, punctuation: &str) -> bool {
        self.tokens.get(i).is_some_and(|(token, _)| token.is(punctuation))
    }

    fn word_at(&self, i: usize) -> Option<&str> {
        match self.tokens.get(i) {
            Some((Token::Word(word), _)) => Some(word),
            _ => None,
        }
    }

    fn text(&self, range: Range<usize>) -> String {
        if range.is_empty() {
            return String::new();
        }
        self.source[self.tokens[range.start].1.start..self.tokens[range.end - 1].1.end].to_owned()
    }

    /// What stands between a token and the one before it; a comment becomes a space.
    fn space_before(&self, i: usize) -> &str {
        let space = &self.source[self.tokens[i - 1].1.end..self.tokens[i].1.start];
        if space.trim().is_empty() { space } else { " " }
    }
}
