//! From the tokens of a block to its statements.

use proc_macro2::Delimiter;

use crate::report::{Place, Report};
use crate::sql::SqlText;
use crate::statement::{Allow, Block, Dialect, FunctionPath, Over, Statement, StatementKind, Text};
use crate::token::{Token, TokenKind};

/// Parses the content of a block. What is wrong is reported and left out.
pub fn parse(tokens: &[Token], block: Block, report: &mut Report) -> Vec<Statement> {
    let mut parser = Parser { rest: tokens, block, report };
    let mut statements = Vec::new();
    while !parser.rest.is_empty() {
        statements.extend(parser.statement());
    }
    statements
}

/// What stands before a statement.
struct Attributes {
    documentation: Option<String>,
    allows: Vec<Allow>,
    as_written: Option<Place>,
}

struct Parser<'a> {
    rest: &'a [Token],
    block: Block,
    report: &'a mut Report,
}

impl<'a> Parser<'a> {
    fn statement(&mut self) -> Option<Statement> {
        let Attributes { documentation, allows, as_written } = self.attributes();
        let first = self.rest.first()?;
        let before = self.rest;
        let kind = self.kind(first)?;
        let used = before.get(..before.len() - self.rest.len()).unwrap_or_default();
        let last = used.iter().rfind(|token| !token.is_mark(';')).unwrap_or(first);
        Some(Statement { kind, documentation, allows, as_written, place: first.place.to(last.whole()) })
    }

    fn kind(&mut self, first: &'a Token) -> Option<StatementKind> {
        let word = first.word().map(str::to_ascii_lowercase);
        let body = self.rest.get(1).and_then(|second| second.group(Delimiter::Brace));
        match (word.as_deref(), body) {
            (Some(name), Some(body)) => {
                self.take(2);
                self.dialect(name, first.place, &body.tokens)
            }
            (Some("include"), _) => self.include(first),
            (Some("run"), _) => self.run(first),
            (Some("if"), _) => self.if_exists(first),
            (Some("assert"), _) => self.assert(first),
            // elsewhere it is a statement like others, which core reads
            (Some("backfill"), _) if self.block.declares() => {
                self.step(first);
                None
            }
            _ if first.group(Delimiter::Brace).is_some() => {
                self.take(1);
                self.report.braces_inside_statement(first.whole());
                None
            }
            _ if first.is_mark(';') => {
                self.take(1);
                None
            }
            _ => {
                let (statement, _) = self.split(sql_end(self.rest));
                Some(StatementKind::Sql(SqlText::from_tokens(statement, self.report)))
            }
        }
    }

    fn take(&mut self, count: usize) {
        self.rest = self.rest.get(count..).unwrap_or_default();
    }

    /// Cuts at `end` and drops the `;` there; says whether there was one.
    fn split(&mut self, end: usize) -> (&'a [Token], bool) {
        let statement = self.rest.get(..end).unwrap_or(self.rest);
        let ended = self.rest.get(end).is_some_and(|token| token.is_mark(';'));
        self.take(end + usize::from(ended));
        (statement, ended)
    }

    /// What stands between a keyword of ours and its `;`.
    fn until_semicolon(&mut self, keyword: &Token) -> &'a [Token] {
        let end = self.rest.iter().position(|token| token.is_mark(';')).unwrap_or(self.rest.len());
        let (statement, _) = self.split(end);
        debug_assert_eq!(statement.first(), Some(keyword));
        statement.get(1..).unwrap_or_default()
    }

    /// The same for what runs, which has no place in a declaration.
    fn step(&mut self, keyword: &Token) -> Option<&'a [Token]> {
        let arguments = self.until_semicolon(keyword);
        if self.block.declares() {
            let step = keyword.word().unwrap_or_default();
            self.report.step_in_declaration(keyword.place, step, self.block.name());
            return None;
        }
        Some(arguments)
    }

    fn include(&mut self, keyword: &Token) -> Option<StatementKind> {
        let arguments = self.until_semicolon(keyword);
        let path = arguments.first().and_then(string).filter(|path| !path.value.is_empty());
        let Some(path) = path else {
            self.report.include_without_path(keyword.place.to(places(arguments, keyword.place)));
            return None;
        };
        self.nothing_after(arguments.get(1..), "include");
        Some(StatementKind::Include { path })
    }

    fn run(&mut self, keyword: &Token) -> Option<StatementKind> {
        let arguments = self.step(keyword)?;
        let Some((function, taken)) = function_path(arguments) else {
            self.report.run_without_function(keyword.place.to(places(arguments, keyword.place)));
            return None;
        };
        let rest = arguments.get(taken..).unwrap_or_default();
        if !rest.first().is_some_and(|token| token.is_word("in")) {
            self.nothing_after(Some(rest), "run");
            return Some(StatementKind::Run { function, over: None });
        }
        let over = self.over(keyword, arguments, rest)?;
        Some(StatementKind::Run { function, over: Some(over) })
    }

    /// `in batches of 1000 over table`, behind the function.
    fn over(&mut self, keyword: &Token, arguments: &[Token], rest: &[Token]) -> Option<Over> {
        let at = places(rest, keyword.place);
        let (words, behind) = rest.split_at_checked(3).unwrap_or((rest, &[]));
        let asks = words.len() == 3 && words.iter().zip(["in", "batches", "of"]).all(|(token, expected)| token.is_word(expected));
        let [size, over, name @ ..] = behind else {
            self.report.run_without_batches(at);
            return None;
        };
        if !asks || !over.is_word("over") || !is_name(name) {
            self.report.run_without_batches(at);
            return None;
        }
        let written = match &size.kind {
            TokenKind::Number(number) => number.as_str(),
            _ => "",
        };
        let size = match migrate_core::ops::batch_size(written) {
            Ok(size) => size,
            Err(problem) => {
                self.report.wrong_batch_size(size.whole(), problem);
                return None;
            }
        };
        let whole: Vec<Token> = std::iter::once(keyword).chain(arguments).cloned().collect();
        let statement = SqlText::from_tokens(&whole, self.report);
        let name_starts = statement.map.len().checked_sub(name.len()).and_then(|first| statement.map.get(first));
        let table_at = name_starts.map_or(0, |(range, _)| range.start);
        Some(Over { size, statement, table_at })
    }

    fn nothing_after(&mut self, rest: Option<&[Token]>, construct: &str) {
        if let Some(extra) = rest.and_then(<[Token]>::first) {
            self.report.expected_semicolon(extra.whole(), construct);
        }
    }

    fn assert(&mut self, keyword: &Token) -> Option<StatementKind> {
        let arguments = self.step(keyword)?;
        let message = arguments.first().and_then(string).filter(|message| !message.value.trim().is_empty());
        let Some(message) = message else {
            let at = arguments.first().map_or(keyword.place, Token::whole);
            self.report.assert_without_message(at);
            return None;
        };
        let query = arguments.get(1..).unwrap_or_default();
        if query.is_empty() {
            self.report.assert_without_query(keyword.place.to(message.place));
            return None;
        }
        Some(StatementKind::Assert { message, query: SqlText::from_tokens(query, self.report) })
    }

    fn if_exists(&mut self, keyword: &Token) -> Option<StatementKind> {
        let end =
            self.rest.iter().position(|token| token.is_mark(';') || token.group(Delimiter::Brace).is_some()).unwrap_or(self.rest.len());
        let (head, ended) = self.split(end);
        let body = self.rest.first().and_then(|token| token.group(Delimiter::Brace)).filter(|_| !ended);
        self.take(usize::from(body.is_some()));
        let (condition, name) = head.split_at_checked(3).unwrap_or((head, &[]));
        let asks_for_table = condition.iter().zip(["if", "exists", "table"]).all(|(token, expected)| token.is_word(expected));
        if !asks_for_table || !is_name(name) {
            self.report.if_exists_without_table(places(head, keyword.place));
            return None;
        }
        let Some(body) = body else {
            self.report.if_exists_without_body(places(head, keyword.place));
            return None;
        };
        let table = SqlText::from_tokens(name, self.report);
        Some(StatementKind::IfExists { table, body: parse(&body.tokens, self.block, self.report) })
    }

    fn dialect(&mut self, name: &str, at: Place, body: &[Token]) -> Option<StatementKind> {
        let dialect = match name {
            "postgres" => Dialect::Postgres,
            "sqlite" => Dialect::Sqlite,
            _ => {
                self.report.unknown_dialect(at, name);
                return None;
            }
        };
        Some(StatementKind::Dialect { dialect, body: parse(body, self.block, self.report) })
    }

    fn attributes(&mut self) -> Attributes {
        let mut lines: Vec<&str> = Vec::new();
        let mut allows = Vec::new();
        let mut as_written = None;
        let mut last = None;
        while let Some(token) = self.rest.first() {
            match &token.kind {
                TokenKind::Documentation(line) => lines.push(line.strip_prefix(' ').unwrap_or(line)),
                TokenKind::Attribute(tokens) => {
                    if matches!(tokens.as_slice(), [name] if name.is_word("as_written")) {
                        as_written = Some(token.place);
                    } else {
                        allows.extend(allow(tokens, token.place, self.report));
                    }
                    last = Some(token.place);
                }
                _ => break,
            }
            self.take(1);
        }
        if let Some(place) = last
            && self.rest.first().is_none_or(|token| token.is_mark(';'))
        {
            self.report.attribute_without_statement(place);
        }
        Attributes { documentation: Some(lines.join("\n")).filter(|_| !lines.is_empty()), allows, as_written }
    }
}

/// Where an SQL statement ends: at the next `;`, except that the body of a function may be statements of its own,
/// `begin atomic … end`.
fn sql_end(tokens: &[Token]) -> usize {
    let may_have_body = tokens.first().is_some_and(|token| token.is_word("create"));
    let mut depth = 0_usize;
    let mut before: Option<&Token> = None;
    for (at, token) in tokens.iter().enumerate() {
        if depth == 0 && token.is_mark(';') {
            return at;
        }
        // `x.end` and `as end` are names.
        let is_keyword = before.is_none_or(|before| !before.is_mark('.') && !before.is_word("as"));
        if may_have_body && is_keyword {
            let atomic = tokens.get(at + 1).is_some_and(|next| next.is_word("atomic"));
            if token.is_word("begin") && (depth > 0 || atomic) || token.is_word("case") && depth > 0 {
                depth += 1;
            } else if token.is_word("end") {
                depth = depth.saturating_sub(1);
            }
        }
        before = Some(token);
    }
    tokens.len()
}

fn string(token: &Token) -> Option<Text> {
    token.text().map(|value| Text { value: value.to_owned(), place: token.place })
}

fn places(tokens: &[Token], otherwise: Place) -> Place {
    match (tokens.first(), tokens.last()) {
        (Some(first), Some(last)) => first.place.to(last.whole()),
        _ => otherwise,
    }
}

/// `name`, `schema.name`
fn is_name(tokens: &[Token]) -> bool {
    let is_part = |token: &Token| matches!(token.kind, TokenKind::Word(_) | TokenKind::Quoted(_));
    tokens.len() % 2 == 1 && tokens.iter().enumerate().all(|(at, token)| if at % 2 == 0 { is_part(token) } else { token.is_mark('.') })
}

/// The path at the start and the number of tokens that spell it.
fn function_path(tokens: &[Token]) -> Option<(FunctionPath, usize)> {
    let separator = |at: usize| [at, at + 1].iter().all(|at| tokens.get(*at).is_some_and(|token| token.is_mark(':')));
    let global = separator(0);
    let mut at = if global { 2 } else { 0 };
    let mut segments = Vec::new();
    loop {
        let token = tokens.get(at)?;
        segments.push(Text { value: token.word()?.to_owned(), place: token.place });
        at += 1;
        if !separator(at) {
            return Some((FunctionPath { global, segments }, at));
        }
        at += 2;
    }
}

/// `allow(lint, …, reason = "…")`
fn allow(attribute: &[Token], place: Place, report: &mut Report) -> Option<Allow> {
    let name = attribute.first().and_then(Token::word).unwrap_or_default();
    if name != "allow" {
        report.unknown_attribute(place, name);
        return None;
    }
    let (lints, reason) = lint_arguments(attribute, place, report)?;
    let Some(reason) = reason else {
        report.allow_without_reason(place);
        return None;
    };
    Some(Allow { lints, reason, place })
}

/// The lints and the reason of `word(lint, …, reason = "…")`.
pub fn lint_arguments(attribute: &[Token], place: Place, report: &mut Report) -> Option<(Vec<Text>, Option<Text>)> {
    let arguments = match attribute {
        [_, arguments] => arguments.group(Delimiter::Parenthesis),
        _ => None,
    };
    let Some(arguments) = arguments else {
        report.malformed_allow(place);
        return None;
    };
    let mut lints = Vec::new();
    let mut reason = None;
    for argument in arguments.tokens.split(|token| token.is_mark(',')) {
        match argument {
            [] => {}
            [equals_name, equals, value] if equals_name.is_word("reason") && equals.is_mark('=') && value.text().is_some() => {
                reason = string(value);
            }
            [Token { kind: TokenKind::Word(lint), place, .. }] => {
                lints.push(Text { value: lint.clone(), place: *place });
            }
            other => {
                report.malformed_allow(places(other, place));
                return None;
            }
        }
    }
    if lints.is_empty() {
        report.allow_without_lint(place);
        return None;
    }
    Some((lints, reason.filter(|reason| !reason.value.trim().is_empty())))
}
