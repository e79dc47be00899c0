//! Is an expression the one that PostgreSQL prints back?
//!
//! PostgreSQL prints parentheses around every operator, casts behind literals, key words in capitals, and its own names
//! for types. The comparison sees through that, and only through that: where the text leaves a doubt the answer is
//! [`Sameness::Unknown`], and the server is asked.

use super::tokens::Token;
use super::{Expression, token_list};
use crate::data_type::{CHARACTER, DataType};
use crate::name::{DEFAULT_SCHEMA, Name, QualifiedName, quote_identifier};

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

impl Expression {
    /// Whether it is `null`, of whatever type: `null::character varying` is what PostgreSQL keeps of `varchar(10) default
    /// null`.
    #[must_use]
    pub fn is_null(&self) -> bool {
        matches!(Shape::of(&self.sql).tokens.as_slice(), [token] if token.is_word("null"))
    }

    /// Whether `live`, which PostgreSQL printed, means the same.
    #[must_use]
    pub fn compare(&self, live: &Self) -> Sameness {
        let (model, live) = (Shape::of(&self.sql), Shape::of(&live.sql));
        if model.tokens != live.tokens {
            return if model.plain().zip(live.plain()).is_some_and(|(model, live)| model.differs(&live)) {
                Sameness::Different
            } else {
                Sameness::Unknown
            };
        }
        let same_casts = only_literals_gained_casts(&model.casts, &live.casts);
        let same_grouping = model.grouping == live.grouping || !(model.grouping_matters() || live.grouping_matters());
        if same_casts && same_grouping && model.qualified == live.qualified { Sameness::Equal } else { Sameness::Unknown }
    }
}

/// An expression without what PostgreSQL adds when it prints it. Places are indices of `tokens`.
#[derive(Default)]
struct Shape {
    tokens: Vec<Token>,
    /// The casts, in order.
    casts: Vec<Cast>,
    /// Where the grouping parentheses were.
    grouping: Vec<usize>,
    /// What was qualified with a schema.
    qualified: Vec<usize>,
    /// Whether parentheses decide between a column of a table and a field of a composite value.
    has_field: bool,
}

#[derive(PartialEq, Eq)]
struct Cast {
    /// Where what was cast begins.
    start: usize,
    /// The index of the token after it.
    end: usize,
    data_type: String,
    on_literal: bool,
}

/// A literal, a key word, or a call without arguments: what needs no server to be told apart.
enum Plain<'a> {
    Literal { text: &'a str, cast: Option<&'a str> },
    Truth(bool),
    Word(&'a str),
    Call(&'a str),
}

impl Shape {
    fn of(sql: &str) -> Self {
        let source = token_list(sql);
        let mut shape = Self::default();
        // for each open parenthesis: is it of a call, and where does its inside begin
        let mut open: Vec<(bool, usize)> = Vec::new();
        let mut last_group = None;
        let mut i = 0;
        while let Some(token) = source.get(i) {
            let group = last_group.take();
            let next = |n: usize| source.get(i + n);
            if token.is("::") {
                let (end, data_type) = read_type(&source, i + 1);
                shape.cast(data_type.sql(), group);
                // a second cast applies to the same operand
                last_group = shape.casts.last().map(|cast| cast.start);
                i = end;
                continue;
            }
            let operator = (next(1), next(2), next(3), next(4), next(5));
            if let (Some(a), Some(Token::Word(schema)), Some(b), Some(operator @ Token::Punctuation(_)), Some(c)) = operator
                && *token == Token::Word("operator".to_owned())
                && (a.is("("), b.is("."), c.is(")")) == (true, true, true)
            {
                if schema != "pg_catalog" {
                    shape.qualified.push(shape.tokens.len());
                }
                shape.push(operator);
                i += 6;
                continue;
            }
            if let Token::Word(schema) = token
                && matches!(schema.as_str(), "pg_catalog" | DEFAULT_SCHEMA)
                && next(1).is_some_and(|next| next.is("."))
                && !shape.tokens.last().is_some_and(|last| last.is("."))
            {
                if schema == DEFAULT_SCHEMA {
                    shape.qualified.push(shape.tokens.len());
                }
                i += 2;
                continue;
            }
            if token.is("(") {
                let call = match shape.tokens.last() {
                    Some(Token::Word(word)) => !super::NOT_COLUMNS.contains(&word.as_str()),
                    Some(Token::Quoted(_)) => true,
                    _ => false,
                };
                if call {
                    shape.push(token);
                } else {
                    shape.grouping.push(shape.tokens.len());
                }
                open.push((call, shape.tokens.len()));
            } else if token.is(")") {
                match open.pop() {
                    Some((false, start)) => {
                        // around one operand they mean nothing, and what was inside of them has left no mark
                        if shape.operand() == start && !next(1).is_some_and(|next| next.is(".")) {
                            shape.grouping.pop();
                        } else {
                            shape.grouping.push(shape.tokens.len());
                        }
                        last_group = Some(start);
                        shape.has_field |= next(1).is_some_and(|next| next.is("."));
                    }
                    _ => shape.push(token),
                }
            } else {
                shape.push(token);
            }
            i += 1;
        }
        shape.forget_outer_parentheses();
        shape
    }

    fn push(&mut self, token: &Token) {
        let token = match token {
            Token::Quoted(text) if quote_identifier(text) == *text => Token::Word(text.clone()),
            Token::Punctuation(text) if text == "!=" => Token::Punctuation("<>".to_owned()),
            // `-1` is printed as `'-1'::integer`, and numbers may be written as strings
            Token::Number(number) if self.ends_in_a_sign() => {
                self.tokens.pop();
                Token::String(format!("-{number}"))
            }
            Token::Number(number) => Token::String(number.clone()),
            Token::String(text) if self.ends_in_a_sequence_function() => Token::String(relation(text)),
            token => token.clone(),
        };
        self.tokens.push(token);
    }

    /// Adds a cast of what stands last: of what began at `group`, if that was in parentheses.
    fn cast(&mut self, data_type: String, group: Option<usize>) {
        let (start, end) = (group.unwrap_or_else(|| self.operand()), self.tokens.len());
        let alone = self.tokens.last_mut().filter(|_| start + 1 == end);
        let on_literal = matches!(alone, Some(Token::String(_)));
        if let Some(Token::String(text)) = alone
            && data_type == "regclass"
        {
            *text = relation(text);
        }
        self.casts.push(Cast { start, end, data_type, on_literal });
    }

    /// Where the operand that ends here begins: a literal, a column, a call, an array.
    fn operand(&self) -> usize {
        let mut depth = 0_usize;
        let mut start = self.tokens.len();
        while let Some(token) = start.checked_sub(1).and_then(|i| self.tokens.get(i)) {
            start -= 1;
            if token.is(")") || token.is("]") {
                depth += 1;
                continue;
            }
            if token.is("(") || token.is("[") {
                depth = depth.saturating_sub(1);
                continue;
            }
            let qualified = start.checked_sub(1).and_then(|i| self.tokens.get(i)).is_some_and(|before| before.is("."));
            if depth == 0 && !qualified && !token.is(".") {
                break;
            }
        }
        start
    }

    fn ends_in_a_sign(&self) -> bool {
        self.tokens.last().is_some_and(|last| last.is("-"))
            && self.tokens.iter().rev().nth(1).is_none_or(|before| matches!(before, Token::Punctuation(text) if text != ")" && text != "]"))
    }

    fn ends_in_a_sequence_function(&self) -> bool {
        matches!(self.tokens.as_slice(), [.., Token::Word(function), open]
            if open.is("(") && matches!(function.as_str(), "nextval" | "currval" | "setval"))
    }

    fn forget_outer_parentheses(&mut self) {
        let last = self.tokens.len();
        while self.grouping.first() == Some(&0) && self.grouping.last() == Some(&last) {
            self.grouping.remove(0);
            self.grouping.pop();
        }
    }

    /// With one operator at the most, and casts on literals only, parentheses can't change the meaning.
    fn grouping_matters(&self) -> bool {
        let operators = self.tokens.iter().filter(|token| match token {
            Token::Punctuation(text) => !matches!(text.as_str(), "(" | ")" | "," | "." | "[" | "]"),
            Token::Word(word) => OPERATORS.contains(&word.as_str()),
            _ => false,
        });
        self.has_field || self.casts.iter().any(|cast| !cast.on_literal) || operators.count() > 1
    }

    fn plain(&self) -> Option<Plain<'_>> {
        let cast = match self.casts.as_slice() {
            [] => None,
            [cast] if cast.on_literal => Some(cast.data_type.as_str()),
            _ => return None,
        };
        match self.tokens.as_slice() {
            [Token::String(text)] => Some(Plain::Literal { text, cast }),
            _ if cast.is_some() || !self.qualified.is_empty() => None,
            [Token::Word(word)] if word == "true" || word == "false" => Some(Plain::Truth(word == "true")),
            [Token::Word(word)] => Some(Plain::Word(word)),
            [Token::Word(word), open, close] if open.is("(") && close.is(")") => Some(Plain::Call(word)),
            _ => None,
        }
    }
}

impl Plain<'_> {
    /// Whether it certainly isn't what `live` is. Two literals may be two spellings of one value of their type.
    fn differs(&self, live: &Plain<'_>) -> bool {
        match (self, live) {
            (Plain::Literal { text: model, cast }, Plain::Literal { text, cast: live_cast }) => {
                let textual = matches!(live_cast, Some("text" | "character varying")) && (cast.is_none() || cast == live_cast);
                let numeric = matches!(live_cast, None | Some("integer" | "bigint" | "smallint" | "numeric"))
                    && model.parse::<i64>().ok().zip(text.parse::<i64>().ok()).is_some_and(|(model, live)| model != live);
                (textual && model != text) || numeric
            }
            (Plain::Literal { .. }, Plain::Truth(_)) | (Plain::Truth(_), Plain::Literal { .. }) => false,
            (Plain::Truth(model), Plain::Truth(live)) => model != live,
            (Plain::Word(model), Plain::Word(live)) | (Plain::Call(model), Plain::Call(live)) => model != live,
            _ => true,
        }
    }
}

/// Words that parentheses can be about.
const OPERATORS: &[&str] = &["and", "or", "not", "is", "in", "like", "ilike", "similar", "between", "case", "collate", "at", "select"];

/// Whether the catalog has all casts of the model, and beyond them only such as it adds to a literal to say its type.
fn only_literals_gained_casts(model: &[Cast], live: &[Cast]) -> bool {
    let mut expected = model.iter().peekable();
    let mut gained: Vec<&Cast> = Vec::new();
    for cast in live {
        if expected.next_if(|expected| *expected == cast).is_none() {
            gained.push(cast);
        }
    }
    let textual = |cast: &Cast| matches!(cast.data_type.as_str(), "text" | "character varying");
    let one_each = gained.windows(2).all(|pair| pair[0].end != pair[1].end || (textual(pair[0]) && textual(pair[1])));
    expected.next().is_none() && one_each && gained.iter().all(|cast| cast.on_literal)
}

/// The relation that a string names, qualified.
fn relation(text: &str) -> String {
    let parts: Vec<String> = token_list(text)
        .into_iter()
        .filter_map(|token| match token {
            Token::Word(name) | Token::Quoted(name) => Some(name),
            _ => None,
        })
        .collect();
    match parts.as_slice() {
        [name] => QualifiedName::public(name.as_str()).quoted(),
        [schema, name] => QualifiedName::new(schema.as_str(), name.as_str()).quoted(),
        _ => text.to_owned(),
    }
}

/// The type that starts at `i`, in one spelling, and the index after it.
pub(crate) fn read_type(tokens: &[Token], mut i: usize) -> (usize, DataType) {
    let word = |i: usize| match tokens.get(i) {
        Some(Token::Quoted(word)) if word == "char" => Some(Name::new(CHARACTER)),
        Some(Token::Word(word) | Token::Quoted(word)) => Some(Name::new(word.as_str())),
        _ => None,
    };
    let is = |i: usize, text: &str| tokens.get(i).is_some_and(|token| token.is(text));
    let Some(first) = word(i) else { return (i, DataType::from_catalog("")) };
    i += 1;
    let (mut schema, mut words, mut modifier, mut array) = (None, vec![first], None, false);
    while let (true, Some(next)) = (is(i, "."), word(i + 1)) {
        schema = words.pop();
        words.push(next);
        i += 2;
    }
    if let Some(second) = word(i).filter(|word| matches!(word.as_str(), "varying" | "precision")) {
        words.push(second);
        i += 1;
    }
    if is(i, "(") {
        let end = (i..tokens.len()).find(|end| is(*end, ")")).unwrap_or(tokens.len());
        modifier = Some(tokens[i + 1..end].iter().map(Token::sql).collect::<String>());
        i = (end + 1).min(tokens.len());
    }
    if word(i).is_some_and(|word| matches!(word.as_str(), "with" | "without")) && word(i + 1).is_some_and(|word| word == "time") {
        words.extend((i..i + 3).filter_map(word));
        i = (i + 3).min(tokens.len());
    }
    while is(i, "[") {
        let end = (i..tokens.len()).find(|end| is(*end, "]")).unwrap_or(tokens.len());
        i = (end + 1).min(tokens.len());
        array = true;
    }
    (i, DataType::from_words(schema.as_ref(), &words, modifier, array))
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
            ("'pending'::varchar", "'pending'::character varying"),
            ("'draft'", "'draft'::public.status"),
            ("'draft'::status", "'draft'::public.status"),
            ("'a'", "('a'::character varying)::text"),
            ("now()", "now()"),
            ("pg_catalog.now()", "now()"),
            ("current_timestamp", "CURRENT_TIMESTAMP"),
            ("-1", "'-1'::integer"),
            ("0", "(0)::numeric"),
            ("price > 0", "(price > 0)"),
            ("price > 0", "(price > (0)::numeric)"),
            ("'{}'::jsonb", "'{}'::jsonb"),
            ("'{}'", "'{}'::text[]"),
            ("array[]::text[]", "ARRAY[]::text[]"),
            ("'x'", "'x'::timestamp(3) with time zone"),
            ("a != 1", "(a <> 1)"),
            ("'c'", "'c'::\"char\""),
            ("created_at::date", "(created_at)::date"),
            ("lower(email::text)", "lower((email)::text)"),
            ("lower(d.email)::text = a", "((lower(d.email))::text = a)"),
            ("array['a']::text[]", "(ARRAY['a'::text])::text[]"),
            ("nextval('a_id_seq')", "nextval('public.a_id_seq'::regclass)"),
            ("nextval('a_id_seq'::regclass)", "nextval('public.a_id_seq'::regclass)"),
            ("nextval('Odd'::regclass)", "nextval('public.odd'::regclass)"),
            ("nextval('\"Odd\"')", "nextval('public.\"Odd\"'::regclass)"),
        ] {
            assert_eq!(compare(model, live), Sameness::Equal, "{model} / {live}");
        }
    }

    #[test]
    fn null_is_null_of_any_type() {
        for sql in ["null", "NULL::character varying(10)", "(null)::public.status"] {
            assert!(Expression::new(sql).is_null(), "{sql}");
        }
        assert!(!Expression::new("'null'").is_null());
        assert!(!Expression::new("null || 'a'").is_null());
    }

    #[test]
    fn plain_values_differ() {
        for (model, live) in [
            ("'a'", "'b'::text"),
            ("0", "1"),
            ("0", "'-1'::integer"),
            ("now()", "gen_random_uuid()"),
            ("now()", "CURRENT_TIMESTAMP"),
            ("current_date", "CURRENT_TIMESTAMP"),
            ("'a'", "now()"),
            ("true", "false"),
        ] {
            assert_eq!(compare(model, live), Sameness::Different, "{model} / {live}");
        }
    }

    #[test]
    fn other_spellings_of_a_value_are_for_the_server() {
        for (model, live) in [
            ("'2020-1-1'", "'2020-01-01'::date"),
            ("'t'", "true"),
            ("'1.50'", "1.5"),
            ("0", "0.0"),
            ("'{\"a\":1}'", "'{\"a\": 1}'::jsonb"),
            ("uuid_generate_v4()", "public.uuid_generate_v4()"),
            ("date '2020-01-01'", "'2020-01-01'::date"),
            ("cast(a as text)", "(a)::text"),
        ] {
            assert_eq!(compare(model, live), Sameness::Unknown, "{model} / {live}");
        }
    }

    #[test]
    fn what_may_change_the_meaning_is_for_the_server() {
        for (model, live) in [
            ("(a or b) and c", "(a OR (b AND c))"),
            ("a in ('x', 'y')", "(a = ANY (ARRAY['x'::text, 'y'::text]))"),
            ("created_at::date = day", "(created_at = day)"),
            ("created_at = day", "((created_at)::date = day)"),
            ("(a || b)::text", "(a || (b)::text)"),
            ("(item).price", "item.price"),
            ("a = b", "(a OPERATOR(public.=) b)"),
            ("'2020-01-01'", "('2020-01-01'::date)::text"),
        ] {
            assert_eq!(compare(model, live), Sameness::Unknown, "{model} / {live}");
        }
    }

    #[test]
    fn never_panics_on_odd_text() {
        for text in ["::", "a::b.", "'x'::a(", "'x'::a[", "operator(", "public.", "operator(a.+", "-", "'x'::timestamp with time"] {
            let _ = compare(text, "(1)");
        }
    }
}
