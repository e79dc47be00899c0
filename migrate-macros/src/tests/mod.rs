//! What the modules do together.

mod blocks;
mod constructs;
mod folders;
mod layout;
mod places;
mod postgres;
mod properties;
mod strangers;
mod typed;

use proc_macro2::{Group, Span, TokenStream, TokenTree};

use crate::report::Report;
use crate::statement::{Block, Statement, StatementKind};
use crate::{grammar, spelling};

/// Tokens as the compiler hands them over.
fn tokens(source: &str) -> TokenStream {
    source.parse().unwrap_or_else(|error| panic!("{error} in {source}"))
}

/// The same tokens as another macro or an editor hands them over.
fn without_positions(stream: TokenStream) -> TokenStream {
    stream
        .into_iter()
        .map(|tree| {
            let mut tree = match tree {
                TokenTree::Group(group) => Group::new(group.delimiter(), without_positions(group.stream())).into(),
                other => other,
            };
            tree.set_span(Span::call_site());
            tree
        })
        .collect()
}

/// A problem as a person sees it: the source under the carets, the message, the help.
#[derive(Debug, PartialEq)]
struct Seen {
    under: String,
    message: String,
    help: Option<String>,
}

fn seen(report: &Report) -> Vec<Seen> {
    let see = |problem: &crate::report::Problem| Seen {
        under: report.span(problem.place).source_text().unwrap_or_default(),
        message: problem.message.clone(),
        help: problem.help.clone(),
    };
    report.problems().iter().map(see).collect()
}

/// What is under the carets and what is said.
fn complaints(report: &Report) -> Vec<(String, String)> {
    seen(report).into_iter().map(|seen| (seen.under, seen.message)).collect()
}

fn statements_of(stream: TokenStream) -> (Vec<Statement>, Report) {
    let mut report = Report::new();
    let tokens = spelling::read(stream, &mut report);
    (grammar::parse(&tokens, Block::Up, &mut report), report)
}

fn statements(source: &str) -> (Vec<Statement>, Report) {
    statements_of(tokens(source))
}

/// The SQL of a block of SQL statements that has no problems.
fn sql_of(stream: TokenStream) -> Vec<String> {
    let (statements, report) = statements_of(stream);
    assert_eq!(complaints(&report), [], "{statements:?}");
    let sql = |statement: Statement| match statement.kind {
        StatementKind::Sql(sql) => sql.text,
        other => panic!("not SQL: {other:?}"),
    };
    statements.into_iter().map(sql).collect()
}

fn sql(source: &str) -> Vec<String> {
    sql_of(tokens(source))
}

fn one(source: &str) -> String {
    sql(source).pop().unwrap_or_else(|| panic!("no statement in {source}"))
}

fn one_without_positions(source: &str) -> String {
    sql_of(without_positions(tokens(source))).pop().unwrap_or_else(|| panic!("no statement in {source}"))
}
