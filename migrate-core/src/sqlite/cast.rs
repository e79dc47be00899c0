//! Casts.

use super::Unsupported;
use super::types::{self, Storage};
use crate::data_type::DataType;
use crate::expression::{Token, tokens};
use crate::name::quote_literal;
use crate::schema::Schema;

/// `operand::data_type`. A literal is written as what it becomes; a cast to text is left out, since SQLite makes a text of
/// everything that is used as one.
pub(super) fn cast(operand: &str, data_type: &DataType, schema: &Schema) -> Result<String, Unsupported> {
    let storage = types::storage(data_type, schema)?;
    let literal = Literal::of(operand);
    let refused = || Unsupported::new(format!("SQLite can't cast `{}` to `{}`", operand.trim(), data_type.sql()));
    if data_type.array {
        return if matches!(literal, Literal::String(_) | Literal::Null) { Ok(operand.to_owned()) } else { Err(refused()) };
    }
    let name = data_type.sql();
    match (literal, storage) {
        (Literal::Null | Literal::Truth, _)
        | (Literal::String(_), Storage::Text)
        | (Literal::Number(_), Storage::Numeric | Storage::Real) => Ok(operand.to_owned()),
        (Literal::String(text), Storage::Boolean) => truth(&text).map(str::to_owned).ok_or_else(refused),
        (Literal::String(text), Storage::Integer | Storage::Numeric | Storage::Real) => number(&text).ok_or_else(refused),
        (Literal::String(text), Storage::Blob) => match text.strip_prefix("\\x") {
            Some(digits) if digits.bytes().all(|byte| byte.is_ascii_hexdigit()) => Ok(format!("x'{digits}'")),
            None if !text.contains('\\') => Ok(format!("x'{}'", hexadecimal(&text))),
            _ => Err(refused()),
        },
        (Literal::Number(number), Storage::Text) => Ok(quote_literal(&number)),
        (Literal::Number(number), Storage::Boolean) => Ok(if number == "0" { "false" } else { "true" }.to_owned()),
        (Literal::Number(number), Storage::Integer) if number.parse::<i64>().is_ok() => Ok(operand.to_owned()),
        (_, Storage::Integer | Storage::Numeric | Storage::Real) => Ok(format!("cast({} as {})", bare(operand), storage.sql())),
        (Literal::Other, Storage::Text) => match name.as_str() {
            "date" => Ok(format!("date({})", bare(operand))),
            "interval" => Err(refused()),
            name if name.starts_with("timestamp") => Ok(format!("datetime({})", bare(operand))),
            name if name.starts_with("time") => Ok(format!("time({})", bare(operand))),
            name if name.ends_with(')') => Err(refused()),
            _ => Ok(operand.to_owned()),
        },
        (_, Storage::Boolean | Storage::Blob) => Err(refused()),
    }
}

/// What the operand of a cast is, if it is a plain value.
enum Literal {
    Null,
    Truth,
    String(String),
    Number(String),
    Other,
}

impl Literal {
    fn of(operand: &str) -> Self {
        match tokens(bare(operand)).as_slice() {
            [(Token::Word(word), _)] if word == "null" => Self::Null,
            [(Token::Word(word), _)] if word == "true" || word == "false" => Self::Truth,
            [(Token::String(text), _)] => Self::String(text.clone()),
            [(Token::Number(number), _)] => Self::Number(number.clone()),
            [(sign, _), (Token::Number(number), _)] if sign.is("-") => Self::Number(format!("-{number}")),
            _ => Self::Other,
        }
    }
}

/// Without one pair of parentheses around it.
fn bare(operand: &str) -> &str {
    let trimmed = operand.trim();
    let tokens = tokens(trimmed);
    let wrapped = tokens.len() > 2
        && tokens.first().is_some_and(|(token, _)| token.is("("))
        && super::translate::close(&tokens, 0) == Some(tokens.len() - 1);
    if wrapped { trimmed[1..trimmed.len() - 1].trim() } else { trimmed }
}

/// The truth values that PostgreSQL reads from text.
fn truth(text: &str) -> Option<&'static str> {
    match text.trim().to_ascii_lowercase().as_str() {
        "t" | "true" | "y" | "yes" | "on" | "1" => Some("true"),
        "f" | "false" | "n" | "no" | "off" | "0" => Some("false"),
        _ => None,
    }
}

/// A number in quotes, without them; a negative one in parentheses, since an operator may stand before it.
fn number(text: &str) -> Option<String> {
    let text = text.trim();
    text.parse::<f64>().ok().filter(|number| number.is_finite())?;
    Some(if text.starts_with('-') { format!("({text})") } else { text.trim_start_matches('+').to_owned() })
}

fn hexadecimal(text: &str) -> String {
    text.bytes().flat_map(|byte| [byte >> 4, byte & 15]).filter_map(|digit| char::from_digit(digit.into(), 16)).collect()
}
