//! SQL expressions, kept as text.
//!
//! The runtime has no SQL parser, so everything that it must know of an expression (does it mention a column, is it the
//! one that PostgreSQL prints back) is answered from its tokens.

mod comparison;
mod conjuncts;
mod query;
mod references;
mod tokens;
mod volatility;

pub use comparison::Sameness;
pub(crate) use comparison::read_type;
pub use references::Row;
pub(crate) use tokens::{Spanned, Token, tokens};
pub(crate) use volatility::is_built_in_function;

use crate::data_type::{BaseType, DataType};
use crate::name::{At, Name, quote_identifier};
use serde::{Deserialize, Serialize};

/// An expression, a query, or another piece of SQL that the model keeps as text.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
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
        self.sql == other.sql || token_list(&self.sql) == token_list(&other.sql)
    }
}
impl Eq for Expression {}

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

    /// An expression that PostgreSQL printed, without the parentheses around the whole and the final semicolon.
    #[must_use]
    pub fn from_catalog(sql: &str) -> Self {
        let mut sql = sql.trim().trim_end_matches(';').trim_end();
        while let Some(inside) = inside_parentheses(sql).filter(|inside| !inside.is_empty()) {
            sql = inside;
        }
        Self::new(sql)
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

    /// The part that begins with these words and ends with the parenthesis that closes the first one behind them.
    #[must_use]
    pub(crate) fn clause(&self, words: &[&str]) -> Option<Self> {
        let tokens = tokens(&self.sql);
        let start = tokens
            .windows(words.len())
            .position(|window| window.iter().zip(words).all(|((token, _), word)| matches!(token, Token::Word(text) if text == word)))?;
        let mut depth = 0_u32;
        for (token, at) in &tokens[start..] {
            if token.is("(") {
                depth += 1;
            } else if token.is(")") {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return self.sql.get(tokens[start].1.start..at.end).map(Self::new);
                }
            }
        }
        None
    }

    /// The text of what stands in each pair of parentheses, between its commas.
    #[must_use]
    pub(crate) fn lists(&self) -> Vec<Vec<String>> {
        let text = |item: &Vec<Token>| item.iter().map(Token::sql).collect::<Vec<_>>().join(" ");
        let lists = crate::schema::lists(&tokens(&self.sql));
        lists.iter().map(|list| list.iter().map(text).collect()).collect()
    }

    /// Whether it is a query with the column list of its view before it: `(a, b) as select …`.
    #[must_use]
    pub fn has_column_list(&self) -> bool {
        let tokens = tokens(&self.sql);
        let Some(close) = tokens.iter().position(|(token, _)| token.is(")")) else { return false };
        let is_name = |token: &Token| token.is(",") || matches!(token, Token::Word(_) | Token::Quoted(_));
        tokens[0].0.is("(")
            && tokens[1..close].iter().all(|(token, _)| is_name(token))
            && tokens.get(close + 1).is_some_and(|(token, _)| *token == Token::Word("as".to_owned()))
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

    /// The column that it is, if it is nothing but one.
    pub(crate) fn identifier(&self) -> Option<String> {
        match token_list(&self.sql).as_slice() {
            [Token::Word(text)] if !NOT_COLUMNS.contains(&text.as_str()) => Some(text.clone()),
            [Token::Quoted(text)] => Some(text.clone()),
            _ => None,
        }
    }

    /// Casts a string to the type that it was read as, where its column gets another one: PostgreSQL keeps the value.
    pub(crate) fn keep_type(&mut self, data_type: &DataType) {
        let is_string = matches!(token_list(&self.sql).as_slice(), [Token::String(_)]);
        let is_text = matches!(&data_type.base, BaseType::Builtin(name)
            if matches!(name.as_str(), "text" | "character varying" | "character" | "bpchar" | "name" | "bit" | "bit varying"));
        if is_string && !is_text {
            self.sql = format!("{}::{}", self.sql, data_type.sql());
        }
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
}

/// What is between the parentheses, if they are around the whole.
fn inside_parentheses(sql: &str) -> Option<&str> {
    let mut depth = 0_u32;
    for (token, at) in tokens(sql) {
        if token.is("(") {
            depth += 1;
        } else if token.is(")") {
            depth = depth.checked_sub(1)?;
        }
        if depth == 0 {
            return if token.is(")") && at.end == sql.len() { sql.get(1..at.start).map(str::trim) } else { None };
        }
    }
    None
}

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
            "time" => before_is(&["at", "with", "without"]) && time_zone,
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

/// The tokens of `sql`.
pub(crate) fn token_list(sql: &str) -> Vec<Token> {
    tokens(sql).into_iter().map(|(token, _)| token).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layout_takes_no_part_in_equality() {
        assert_eq!(Expression::new("a+b -- sum"), Expression::new("A + b"));
        assert_ne!(Expression::new(r"E'\n'"), Expression::new(r"'\n'"));
    }

    #[test]
    fn the_catalogs_outer_parentheses_fall() {
        for (text, sql) in [("((a + b))", "a + b"), ("(a) + (b)", "(a) + (b)"), ("(')')", "')'"), (" select 1;", "select 1"), ("()", "()")]
        {
            assert_eq!(Expression::from_catalog(text).sql(), sql);
        }
    }

    #[test]
    fn a_column_list_is_no_query() {
        let has = |sql| Expression::new(sql).has_column_list();
        assert!(has("(a, \"B\") as select 1, 2"));
        assert!(!has("(select f(x) as y) union select 1"));
        assert!(!has(")"));
        assert!(!has("select 1"));
    }

    #[test]
    fn a_clause_ends_where_its_parenthesis_does() {
        let clause = |sql| Expression::new(sql).clause(&["partition", "by"]).map(|clause| clause.sql().to_owned());
        assert_eq!(clause("PARTITION BY range (a, (b + 1)) with (x)").as_deref(), Some("PARTITION BY range (a, (b + 1))"));
        assert_eq!(clause("with (x)"), None);
        assert_eq!(clause("partition by range (a"), None);
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
            ("signed > timestamp with time zone '2000-01-01'", "time"),
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
