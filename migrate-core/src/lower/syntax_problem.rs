//! What the grammar says about a text that it doesn't accept, in words that a person knows from SQL.

use crate::expression::tokens;
use crate::name::{At, Name};
use crate::report::nearest_of;
use squawk_syntax::ast::AstNode;
use squawk_syntax::{Parse, SourceFile, SyntaxKind, SyntaxToken};

/// The grammar doesn't accept the text.
#[derive(Clone, Debug)]
pub struct SyntaxProblem {
    /// The token at which the grammar gave up, in bytes of the text.
    pub at: At,
    /// What it expected, and what is there.
    pub message: String,
    /// What was probably meant.
    pub suggestion: Option<Suggestion>,
}

/// What was probably meant where the grammar gave up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Suggestion {
    /// A keyword.
    Keyword {
        /// The keyword.
        keyword: &'static str,
        /// What is written in its place, if that isn't the token at which the grammar gave up.
        written: Option<String>,
    },
    /// A name that has to be quoted. How that is spelled, the language around the text says.
    QuotedName(String),
    /// Another thing to do, as one sentence.
    Sentence(String),
}

impl SyntaxProblem {
    /// Without a suggestion.
    #[must_use]
    pub fn new(at: At, message: impl Into<String>) -> Self {
        Self { at, message: message.into(), suggestion: None }
    }

    /// What to do, as one sentence; `quoted` spells a quoted name in the language around the text.
    #[must_use]
    pub fn help(&self, quoted: impl Fn(&str) -> String) -> Option<String> {
        Some(match self.suggestion.as_ref()? {
            Suggestion::Keyword { keyword, written: None } => format!("did you mean `{keyword}`?"),
            Suggestion::Keyword { keyword, written: Some(written) } => format!("did you mean `{keyword}` instead of `{written}`?"),
            Suggestion::QuotedName(name) => format!("write the name in quotes: `{}`", quoted(name)),
            Suggestion::Sentence(sentence) => sentence.clone(),
        })
    }
}

/// The places at which the grammar gave up, one a statement: what follows in the same statement is mostly an echo.
pub(super) fn problems(parsed: &Parse<SourceFile>) -> Vec<SyntaxProblem> {
    let errors = parsed.errors();
    if errors.is_empty() {
        return Vec::new();
    }
    let mut errors: Vec<(usize, &str)> = errors.iter().map(|it| (it.range().start().into(), it.message())).collect();
    errors.sort_by_key(|(start, _)| *start);
    let root = parsed.tree();
    let tokens: Vec<SyntaxToken> = super::syntax::significant_tokens(root.syntax()).collect();
    let mut problems = Vec::new();
    let mut told_until = 0;
    for (start, message) in errors {
        if start < told_until {
            continue;
        }
        let place = tokens.partition_point(|token| usize::from(token.text_range().end()) <= start);
        let (before, rest) = tokens.split_at(place);
        let semicolon = rest.iter().find(|token| token.kind() == SyntaxKind::SEMICOLON);
        told_until = semicolon.map_or(usize::MAX, |token| token.text_range().end().into());
        let body = rest.first().filter(|token| usize::from(token.text_range().start()) < start);
        let inside = body.map(|body| problems_in_body(message, start, body)).unwrap_or_default();
        if inside.is_empty() {
            problems.push(problem(message, before, rest));
        }
        problems.extend(inside);
    }
    problems
}

/// A problem between the tokens `before` and the `rest`.
fn problem(message: &str, before: &[SyntaxToken], rest: &[SyntaxToken]) -> SyntaxProblem {
    let is_end = |token: &SyntaxToken| token.kind() == SyntaxKind::SEMICOLON;
    let starts = before.last().is_none_or(is_end);
    let message = in_words(message);
    let unknown_statement = message == "expected command" && starts;
    let Some(found) = rest.first().filter(|token| !is_end(token)) else {
        let at = before.last().map(at).unwrap_or_default();
        return SyntaxProblem::new(at, format!("{message}, found the end of the statement"));
    };
    if unknown_statement {
        return unknown(found, rest.get(1).filter(|token| !is_end(token)));
    }
    // `set nott null`: no branch of the grammar takes `set`, because of what follows
    let next = rest.get(1).filter(|next| found.kind() != SyntaxKind::IDENT && is_word(found) && keyword(next).is_some());
    let found = next.unwrap_or(found);
    let suggestion = suggestion(&message, before, found);
    let message = match &suggestion {
        Some(Suggestion::Keyword { written: None, .. }) => format!("unexpected `{}`", found.text()),
        _ if message == "unexpected token" => format!("unexpected {}", shown(found)),
        _ if message == "expected command" => format!("expected the end of the statement, found {}", shown(found)),
        _ if message.starts_with("expected") => format!("{message}, found {}", shown(found)),
        _ => message,
    };
    SyntaxProblem { at: at(found), message, suggestion }
}

/// The problems of a string that is the body of a function in SQL, the first of them at `start`.
fn problems_in_body(message: &str, start: usize, body: &SyntaxToken) -> Vec<SyntaxProblem> {
    let text = body.text();
    let tag = text.strip_prefix('$').and_then(|rest| rest.find('$')).map(|end| end + 2);
    let statements = tag.and_then(|tag| Some((tag, text.get(tag..text.len().checked_sub(tag)?)?)));
    let mut problems = statements.map(|(_, statements)| problems(&SourceFile::parse(statements))).unwrap_or_default();
    let offset = usize::from(body.text_range().start()) + tag.unwrap_or_default();
    for problem in &mut problems {
        problem.at = At::new(offset + problem.at.range().start..offset + problem.at.range().end);
    }
    if problems.is_empty() { problem_in_body(message, start, body).into_iter().collect() } else { problems }
}

/// A problem at `start`, inside of the string that is the body of a function in SQL.
fn problem_in_body(message: &str, start: usize, body: &SyntaxToken) -> Option<SyntaxProblem> {
    let offset: usize = body.text_range().start().into();
    let text = body.text();
    let opening = text.find(|c: char| c != '$' && c != '_' && !c.is_alphanumeric()).unwrap_or_default();
    let inside = start.checked_sub(offset)?;
    let closing = text.rfind(['\'', '$']).filter(|end| *end > inside)?;
    let found = tokens(text.get(inside..closing)?).into_iter().next().map(|(_, place)| inside + place.start..inside + place.end);
    let found = found.filter(|place| text.get(place.clone()).is_some_and(|found| !found.starts_with('$')) && place.start >= opening);
    let message = in_words(message);
    Some(match found.as_ref().and_then(|place| text.get(place.clone())) {
        Some(word) => {
            let place = found.unwrap_or_default();
            let message = if message.starts_with("expected") { format!("{message}, found `{word}`") } else { message };
            SyntaxProblem::new(At::new(offset + place.start..offset + place.end), message)
        }
        None => SyntaxProblem::new(at(body), format!("{message}, found the end of the function's body")),
    })
}

/// Words that don't start any statement.
fn unknown(first: &SyntaxToken, second: Option<&SyntaxToken>) -> SyntaxProblem {
    if let Some(second) = second.filter(|_| KEYWORDS.contains(&first.text().to_lowercase().as_str())) {
        let message = format!("`{} {}` starts no statement", first.text(), second.text());
        return SyntaxProblem { at: at(second), message, suggestion: keyword(second).map(here) };
    }
    let message = format!("{} starts no statement", shown(first));
    SyntaxProblem { at: at(first), message, suggestion: keyword(first).map(here) }
}

fn here(keyword: &'static str) -> Suggestion {
    Suggestion::Keyword { keyword, written: None }
}

fn suggestion(expected: &str, before: &[SyntaxToken], found: &SyntaxToken) -> Option<Suggestion> {
    let in_list = before.last().is_some_and(|token| matches!(token.kind(), SyntaxKind::COMMA | SyntaxKind::L_PAREN));
    if expected == "expected a name" && found.kind() == SyntaxKind::STRING {
        let name = found.text().strip_prefix('\'')?.strip_suffix('\'')?.replace("''", "'");
        return Some(Suggestion::QuotedName(name));
    }
    if (expected == "expected a name" || expected == "expected `)`" && in_list) && is_reserved(found) {
        return Some(Suggestion::QuotedName(found.text().to_lowercase()));
    }
    if let Some(keyword) = keyword(found) {
        return Some(here(keyword));
    }
    // a misspelt keyword is often taken for a name, and the grammar gives up only behind it
    let statement = before.iter().rev().take_while(|token| token.kind() != SyntaxKind::SEMICOLON);
    statement.take(3).find_map(|token| Some(Suggestion::Keyword { keyword: keyword(token)?, written: Some(token.text().to_owned()) }))
}

/// The keyword that a name was probably meant to be.
fn keyword(token: &SyntaxToken) -> Option<&'static str> {
    let word = token.text().to_lowercase();
    if token.kind() != SyntaxKind::IDENT || word.len() < 2 || !is_word(token) {
        return None;
    }
    let nearest = nearest_of(&word, KEYWORDS.iter().copied())?;
    KEYWORDS.iter().copied().find(|keyword| *keyword == nearest && *keyword != word)
}

/// Whether PostgreSQL takes it for a name only in quotes.
fn is_reserved(token: &SyntaxToken) -> bool {
    is_word(token) && Name::new(token.text().to_lowercase()).quoted().starts_with('"')
}

fn is_word(token: &SyntaxToken) -> bool {
    token.text().starts_with(|first: char| first.is_alphabetic() || first == '_')
}

fn at(token: &SyntaxToken) -> At {
    At::new(token.text_range().into())
}

/// A token as it is called in a message. Strings are spelled differently in the language around the text.
fn shown(token: &SyntaxToken) -> String {
    match token.kind() {
        SyntaxKind::STRING | SyntaxKind::DOLLAR_QUOTED_STRING | SyntaxKind::ESC_STRING => "a string".to_owned(),
        _ => format!("`{}`", token.text()),
    }
}

/// The parser's message: the names of its tokens as they are written in SQL, without what it found, which it names
/// only here and there.
fn in_words(message: &str) -> String {
    let message = message.trim_end_matches('.');
    let message = [", found ", ", got "].iter().find_map(|found| Some(message.split_once(found)?.0)).unwrap_or(message);
    match message {
        "expected path name" | "expected name" | "expected field name" | "expected IDENT" => return "expected a name".to_owned(),
        "expected expr" | "expected expression" | "expected expr for default" => return "expected an expression".to_owned(),
        "expected COMMA" | "missing comma" => return "expected `,`".to_owned(),
        "expected L_PAREN" => return "expected `(`".to_owned(),
        "expected R_PAREN" => return "expected `)`".to_owned(),
        "expected L_BRACK" => return "expected `[`".to_owned(),
        "expected R_BRACK" => return "expected `]`".to_owned(),
        "expected DOT" => return "expected `.`".to_owned(),
        "expected EQ" => return "expected `=`".to_owned(),
        _ => {}
    }
    let mut words: Vec<String> = Vec::new();
    for (i, word) in message.split(' ').enumerate() {
        let letters = word.trim_matches(|c: char| !c.is_alphanumeric() && c != '_');
        let keyword = letters.strip_suffix("_KW").unwrap_or(letters);
        let is_keyword = keyword.len() > 1 && keyword.chars().all(|c| c.is_ascii_uppercase() || c == '_');
        let word = match () {
            () if is_keyword => word.replace(letters, &format!("`{}`", keyword.to_lowercase())),
            () if i == 0 => word.to_lowercase(),
            () => word.to_owned(),
        };
        // `not` `null` is one thing
        match words.last_mut() {
            Some(last) if is_keyword && last.ends_with('`') && word.starts_with('`') => {
                last.pop();
                last.push(' ');
                last.push_str(&word[1..]);
            }
            _ => words.push(word),
        }
    }
    words.join(" ")
}

/// What statements of migrations are made of, without the words of two letters: a name of two is near to all of them.
#[rustfmt::skip]
const KEYWORDS: &[&str] = &[
    "action", "add", "after", "all", "alter", "always", "and", "array", "asc", "attach", "before", "begin", "between", "cascade",
    "case", "check", "cluster", "collate", "column", "comment", "concurrently", "conflict", "constraint", "copy", "create", "current",
    "cycle", "data", "database", "default", "deferrable", "deferred", "delete", "desc", "detach", "disable", "distinct", "domain",
    "drop", "each", "else", "enable", "enum", "exclude", "execute", "exists", "extension", "first", "force", "foreign",
    "from", "function", "generated", "grant", "group", "having", "identity", "immediate", "immutable", "include", "increment", "index",
    "inherits", "initially", "inner", "insert", "instead", "into", "join", "key", "language", "last", "left", "level", "like", "limit",
    "lock", "match", "materialized", "maxvalue", "minvalue", "natural", "not", "nothing", "null", "nulls", "only", "order", "outer",
    "owned", "owner", "partial", "partition", "policy", "primary", "procedure", "range", "references", "refresh", "rename", "replace",
    "replica", "reset", "restart", "restrict", "return", "returning", "returns", "revoke", "right", "role", "row", "rows", "rule",
    "schema", "security", "select", "sequence", "set", "start", "statement", "statistics", "stored", "table", "tablespace", "temporary",
    "then", "trigger", "truncate", "type", "union", "unique", "unlogged", "update", "using", "vacuum", "valid", "validate", "value",
    "values", "view", "volatile", "when", "where", "with", "without",
];

#[cfg(test)]
mod tests {
    use crate::lower::parse;

    /// What is marked, the message and the help, of each problem.
    fn told(sql: &str) -> Vec<String> {
        let problems = parse(sql).unwrap_err();
        let line = |problem: &super::SyntaxProblem| {
            let help = problem.help(|name| format!("\"{name}\"")).map(|help| format!("; {help}")).unwrap_or_default();
            format!("{}: {}{help}", &sql[problem.at.range()], problem.message)
        };
        problems.iter().map(line).collect()
    }

    #[test]
    fn the_wrong_word_is_marked_and_the_right_one_suggested() {
        for (sql, expected) in [
            ("create table a (id int nott null, b text)", "nott: unexpected `nott`; did you mean `not`?"),
            ("create table a (id int references b on delete cascde)", "cascde: unexpected `cascde`; did you mean `cascade`?"),
            ("alter table a add column b int defalt 3", "defalt: unexpected `defalt`; did you mean `default`?"),
            ("alter table a alter column b set nott null", "nott: unexpected `nott`; did you mean `not`?"),
            ("alter table a add constraint c chek (d > 1)", "chek: unexpected `chek`; did you mean `check`?"),
            ("create index i on a (b) were b > 1", "were: unexpected `were`; did you mean `where`?"),
            ("select * fro a", "fro: unexpected `fro`; did you mean `from`?"),
            (
                "alter table a add colum b int",
                "int: expected the end of the statement, found `int`; did you mean `column` instead of `colum`?",
            ),
            ("create tabel a (id int)", "tabel: `create tabel` starts no statement; did you mean `table`?"),
            ("crate table a (id int)", "crate: `crate` starts no statement; did you mean `create`?"),
        ] {
            assert_eq!(told(sql), [expected], "{sql}");
        }
    }

    #[test]
    fn what_is_missing_is_named_as_it_is_written() {
        for (sql, expected) in [
            ("create table a (id int b text)", "b: expected `,`, found `b`"),
            ("create table a (id int,)", ",: unexpected trailing comma"),
            ("create table a (id int", "int: expected `)`, found the end of the statement"),
            ("alter table a drop column", "column: expected a name, found the end of the statement"),
            ("select 1 + from a", "from: expected an expression, found `from`"),
            ("delete a where b", "a: expected `from`, found `a`"),
            ("create trigger a on b", "on: expected `before`, `after`, or `instead of`, found `on`"),
            ("create type a as enum ('b' 'c')", "'c': expected new line or comma between string literals, found a string"),
        ] {
            assert_eq!(told(sql), [expected], "{sql}");
        }
    }

    #[test]
    fn names_that_need_quotes_are_spelled_with_them() {
        for (sql, expected) in [
            ("create table 'A' (id int)", "'A': expected a name, found a string; write the name in quotes: `\"A\"`"),
            ("create table user (id int)", "user: expected a name, found `user`; write the name in quotes: `\"user\"`"),
            ("create table a (id int, order int)", "order: expected `)`, found `order`; write the name in quotes: `\"order\"`"),
        ] {
            assert_eq!(told(sql), [expected], "{sql}");
        }
    }

    #[test]
    fn each_statement_is_told_once() {
        let told = told("create table a (id int nott null, b text); select 1; drop tabel a; create table b (id int");
        assert_eq!(told.len(), 3, "{told:?}");
    }
}
