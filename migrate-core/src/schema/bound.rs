//! Which rows a partition holds, as far as text tells.

use crate::expression::{Expression, Spanned, Token, tokens};
use std::cmp::Ordering;

/// The bound of a partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Bound {
    /// `default`.
    Default,
    /// `for values in (…)`.
    List(Vec<Value>),
    /// `for values from (…) to (…)`: the first is in, the last isn't.
    Range(Vec<Value>, Vec<Value>),
    /// `for values with (modulus …, remainder …)`.
    Hash(u64, u64),
}

/// One value of a bound.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    /// `minvalue`.
    Lowest,
    /// `maxvalue`.
    Highest,
    /// `null`.
    Null,
    /// A number without a fraction.
    Number(i128),
    /// A string: of what type, the column says.
    Text(String),
    /// Anything else.
    Other(String),
}

impl Value {
    /// Whether it is a value, and not the end of all.
    pub(crate) fn is_finite(&self) -> bool {
        !matches!(self, Self::Lowest | Self::Highest)
    }
}

impl Bound {
    /// Reads a bound, as written or as PostgreSQL prints it.
    pub(crate) fn read(bound: &Expression) -> Option<Self> {
        let tokens = tokens(bound.sql());
        let words: Vec<&str> =
            tokens.iter().map_while(|(token, _)| if let Token::Word(word) = token { Some(word.as_str()) } else { None }).collect();
        let mut lists = lists(&tokens).into_iter();
        match words.as_slice() {
            ["default"] => Some(Self::Default),
            ["for", "values", "in"] => Some(Self::List(lists.next()?.iter().map(|tokens| value(tokens)).collect())),
            ["for", "values", "from"] => {
                let mut side = || Some(lists.next()?.iter().map(|tokens| value(tokens)).collect::<Vec<_>>());
                Some(Self::Range(side()?, side()?))
            }
            ["for", "values", "with"] => {
                let parts = lists.next()?;
                let number = |name: &str| {
                    parts.iter().find_map(|part| match part.as_slice() {
                        [Token::Word(word), Token::Number(number)] if word == name => number.parse().ok(),
                        _ => None,
                    })
                };
                Some(Self::Hash(number("modulus")?, number("remainder")?))
            }
            _ => None,
        }
    }

    /// `partition by …` of the tables that have such partitions; `None` for the default one.
    pub(crate) fn strategy(&self) -> Option<&'static str> {
        match self {
            Self::Default => None,
            Self::List(_) => Some("list"),
            Self::Range(..) => Some("range"),
            Self::Hash(..) => Some("hash"),
        }
    }

    /// Whether a row fits into both for sure.
    pub(crate) fn overlaps(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Default, Self::Default) => true,
            (Self::List(one), Self::List(other)) => one.iter().any(|value| !matches!(value, Value::Other(_)) && other.contains(value)),
            (Self::Range(from, to), Self::Range(other_from, other_to)) => {
                let before = |one: &[Value], other: &[Value]| compare(one, other) == Some(Ordering::Less);
                let same = compare(from, other_from) == Some(Ordering::Equal) && compare(to, other_to) == Some(Ordering::Equal);
                same || (before(from, other_to) && before(other_from, to))
            }
            (Self::Hash(modulus, remainder), Self::Hash(other, other_remainder)) => {
                let (small, large) = (modulus.min(other), modulus.max(other));
                *small > 0 && large % small == 0 && remainder % small == other_remainder % small
            }
            _ => false,
        }
    }

    /// Whether no row fits into it for sure: it ends before it begins.
    pub(crate) fn is_empty(&self) -> bool {
        match self {
            Self::Range(from, to) => matches!(compare(from, to), Some(Ordering::Greater | Ordering::Equal)),
            _ => false,
        }
    }
}

/// What stands in each pair of parentheses, between the commas of it.
pub(crate) fn lists(tokens: &[Spanned]) -> Vec<Vec<Vec<Token>>> {
    let mut lists: Vec<Vec<Vec<Token>>> = Vec::new();
    let mut depth = 0_u32;
    for (token, _) in tokens {
        let closes = token.is(")");
        if closes {
            depth = depth.saturating_sub(1);
        }
        match (depth, lists.last_mut()) {
            (0, _) if token.is("(") => lists.push(vec![Vec::new()]),
            (1, Some(list)) if token.is(",") => list.push(Vec::new()),
            (1.., Some(list)) => list.last_mut().into_iter().for_each(|value| value.push(token.clone())),
            _ => {}
        }
        if token.is("(") {
            depth += 1;
        }
    }
    lists
}

fn value(tokens: &[Token]) -> Value {
    let number = |sign: &str, digits: &str| format!("{sign}{digits}").parse().ok().map(Value::Number);
    let known = match tokens {
        [Token::Word(word)] if word == "minvalue" => Some(Value::Lowest),
        [Token::Word(word)] if word == "maxvalue" => Some(Value::Highest),
        [Token::Word(word)] if word == "null" => Some(Value::Null),
        [Token::Number(digits)] => number("", digits),
        [minus, Token::Number(digits)] if minus.is("-") => number("-", digits),
        [Token::String(text)] => Some(Value::Text(text.clone())),
        _ => None,
    };
    known.unwrap_or_else(|| Value::Other(format!("{tokens:?}")))
}

/// The order of two points, where text tells it.
fn compare(one: &[Value], other: &[Value]) -> Option<Ordering> {
    if one.len() != other.len() {
        return None;
    }
    for (one, other) in one.iter().zip(other) {
        let order = match (one, other) {
            // what follows either says nothing
            (Value::Lowest, Value::Lowest) | (Value::Highest, Value::Highest) => return Some(Ordering::Equal),
            (Value::Lowest, _) | (_, Value::Highest) => Ordering::Less,
            (_, Value::Lowest) | (Value::Highest, _) => Ordering::Greater,
            (Value::Number(one), Value::Number(other)) => one.cmp(other),
            (Value::Text(one), Value::Text(other)) if one == other => Ordering::Equal,
            (Value::Text(one), Value::Text(other)) => date(one)?.cmp(date(other)?),
            _ => return None,
        };
        if order != Ordering::Equal {
            return Some(order);
        }
    }
    Some(Ordering::Equal)
}

/// A date in the one spelling whose order is that of its letters, also where no time but midnight follows it.
fn date(text: &str) -> Option<&str> {
    let (day, time) = text.split_once(' ').unwrap_or((text, ""));
    let shape: String = day.chars().map(|c| if c.is_ascii_digit() { '9' } else { c }).collect();
    (shape == "9999-99-99" && matches!(time, "" | "00:00:00" | "00:00")).then_some(day)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn overlap(one: &str, other: &str) -> bool {
        let read = |text: &str| Bound::read(&Expression::new(text)).unwrap();
        assert_eq!(read(one).overlaps(&read(other)), read(other).overlaps(&read(one)));
        read(one).overlaps(&read(other))
    }

    #[test]
    fn bounds_overlap_where_a_row_fits_into_both() {
        assert!(overlap("default", "DEFAULT"));
        assert!(overlap("for values from (1) to (10)", "FOR VALUES FROM (9) TO (20)"));
        assert!(!overlap("for values from (1) to (10)", "for values from (10) to (maxvalue)"));
        assert!(overlap("for values from (minvalue) to (-5)", "for values from (-7) to (0)"));
        assert!(overlap("for values from ('2024-01-01') to ('2025-01-01')", "for values from ('2024-12-01') to ('2025-02-01')"));
        assert!(!overlap("for values from ('2024-01-01') to ('2024-02-01')", "for values from ('2024-02-01') to ('2024-03-01')"));
        assert!(overlap("for values from (1, minvalue) to (1, maxvalue)", "for values from (1, 5) to (1, 6)"));
        assert!(overlap("for values in ('a', 'b')", "for values in ('b')"));
        assert!(overlap("for values in (null)", "for values in (1, null)"));
        assert!(!overlap("for values in (1)", "for values in ('1')"));
        assert!(overlap("for values with (modulus 2, remainder 1)", "for values with (modulus 4, remainder 3)"));
        assert!(!overlap("for values with (modulus 2, remainder 1)", "for values with (modulus 4, remainder 2)"));
    }

    #[test]
    fn what_text_does_not_tell_is_no_overlap() {
        assert!(!overlap("for values from ('a') to ('m')", "for values from ('b') to ('c')"));
        assert!(!overlap("for values from (now()) to (maxvalue)", "for values from (now()) to (10)"));
        assert!(overlap("for values from ('a') to ('m')", "for values from ('a') to ('m')"));
    }

    #[test]
    fn a_range_that_ends_before_it_begins_is_empty() {
        let empty = |text: &str| Bound::read(&Expression::new(text)).unwrap().is_empty();
        assert!(empty("for values from (10) to (1)") && empty("for values from ('2024-01-01') to ('2024-01-01')"));
        assert!(!empty("for values from (1) to (10)") && !empty("for values from ('a') to ('b')"));
    }
}
