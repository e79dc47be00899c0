//! Whatever the tokens are, nothing panics, and every byte of the text leads back to a token.

use proc_macro2::{Delimiter, Group, Ident, Literal, Punct, Spacing, Span, TokenStream, TokenTree};
use proptest::prelude::*;

use super::{postgres::lexemes, statements_of, without_positions};
use crate::module;
use crate::report::{Place, Report};
use crate::sql::SqlText;
use crate::statement::{Statement, StatementKind};

/// Tokens that no source spells, but that another macro may put together.
fn soup() -> impl Strategy<Value = TokenStream> {
    let marks = prop::sample::select("+-*/%^&|!<>=~@#$?.,;:'".chars().collect::<Vec<_>>());
    let words = prop::sample::select(vec![
        "create", "table", "if", "exists", "run", "include", "assert", "backfill", "sqlite", "postgres", "begin", "atomic", "case", "end",
        "allow", "reason", "doc", "e", "U", "b", "x", "_", "größe", "r#type",
    ]);
    let literals = prop::sample::select(vec![
        "\"\"",
        "\"it's\"",
        "\"a\\0\"",
        "r#\"$$\"#",
        "r\"x$\"",
        "b\"\\xff\"",
        "c\"x\"",
        "'a'",
        "b'a'",
        "1",
        "1_0.5e-3",
        "0xff",
        "1i64",
        "1.",
        "0b2x",
        "\"a\"x",
    ]);
    let word = |name: &str| match name.strip_prefix("r#") {
        Some(name) => Ident::new_raw(name, Span::call_site()),
        None => Ident::new(name, Span::call_site()),
    };
    let leaf = prop_oneof![
        4 => (marks, any::<bool>()).prop_map(|(mark, joint)| {
            TokenTree::from(Punct::new(mark, if joint { Spacing::Joint } else { Spacing::Alone }))
        }),
        3 => words.prop_map(move |name| TokenTree::from(word(name))),
        2 => literals.prop_filter_map("a literal", |spelling| spelling.parse::<Literal>().ok().map(TokenTree::from)),
    ];
    let delimiters = [Delimiter::Parenthesis, Delimiter::Bracket, Delimiter::Brace, Delimiter::None];
    let tree = leaf.prop_recursive(3, 40, 8, move |inner| {
        (prop::sample::select(delimiters.to_vec()), prop::collection::vec(inner, 0..8))
            .prop_map(|(delimiter, trees)| TokenTree::from(Group::new(delimiter, trees.into_iter().collect())))
    });
    prop::collection::vec(tree, 0..30).prop_map(|trees| trees.into_iter().collect())
}

/// Source text of pieces that a lexer accepts in any order, with or without blanks between them.
fn source() -> impl Strategy<Value = String> {
    let pieces = prop::sample::select(vec![
        "select",
        "a",
        "t.b",
        "(a)",
        "(1, 2)",
        "[1]",
        "::text",
        "\"it's\"",
        "r\"x\"",
        "1",
        "2.5",
        ".5",
        "$1",
        "@\"M c\"",
        "@",
        "->>",
        "#>",
        "<@",
        "||",
        "-",
        "+",
        "*",
        "?|",
        "=",
        ",",
        ":=",
        "b\"\\x01\"",
        "now()",
        "- -",
        "r#type",
        "é",
    ]);
    let gaps = prop::sample::select(vec![" ", "  ", "\n", "\n    ", " /* x */ ", " // x\n"]);
    prop::collection::vec((pieces, gaps), 1..25).prop_map(|pieces| pieces.into_iter().flat_map(|(piece, gap)| [piece, gap]).collect())
}

fn texts<'a>(statements: &'a [Statement], found: &mut Vec<&'a SqlText>) {
    for statement in statements {
        match &statement.kind {
            StatementKind::Sql(sql) | StatementKind::Assert { query: sql, .. } => found.push(sql),
            StatementKind::IfExists { table, body } => {
                found.push(table);
                texts(body, found);
            }
            StatementKind::Dialect { body, .. } => texts(body, found),
            StatementKind::Include { .. } | StatementKind::Run { .. } => {}
        }
    }
}

/// The map is in order, on character boundaries, and leaves out white space only.
fn check_map(sql: &SqlText) -> Result<(), TestCaseError> {
    let mut end = 0;
    for (range, place) in &sql.map {
        prop_assert!(sql.text.get(end..range.start).is_some_and(|gap| gap.trim().is_empty()), "{sql:?}");
        prop_assert!(!range.is_empty() && sql.text.get(range.clone()).is_some(), "{sql:?}");
        prop_assert_eq!(sql.place(range.clone()), *place);
        end = range.end;
    }
    prop_assert_eq!(end, sql.text.len());
    for at in 0..=sql.text.len() {
        prop_assert!(sql.map.is_empty() || sql.place(at..at + 1) != Place::CALL_SITE);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn token_soup_never_panics_and_is_mapped(stream in soup()) {
        let (statements, report) = statements_of(stream);
        let mut found = Vec::new();
        texts(&statements, &mut found);
        for sql in found {
            check_map(sql)?;
        }
        report.compile_errors();
    }

    #[test]
    fn any_text_that_lexes_never_panics(text in "[-a-z0-9 \\n\"'$@#\\[\\](){};:.,<>=*/+!~%&|?_é\\\\]{0,80}") {
        if let Ok(stream) = text.parse::<TokenStream>() {
            let (statements, report) = statements_of(stream.clone());
            let mut found = Vec::new();
            texts(&statements, &mut found);
            for sql in found {
                check_map(sql)?;
            }
            report.compile_errors();
            let mut report = Report::new();
            let wrapped = TokenStream::from(TokenTree::from(Group::new(Delimiter::Brace, stream.clone())));
            let item = "mod m".parse::<TokenStream>().into_iter().flatten().chain(wrapped).collect();
            module::parse(stream, item, &mut report);
        }
    }

    #[test]
    fn positions_change_only_blanks(text in source()) {
        if let Ok(stream) = text.parse::<TokenStream>() {
            let all = |stream| {
                let (statements, report) = statements_of(stream);
                let mut found = Vec::new();
                texts(&statements, &mut found);
                let tokens: Vec<Vec<String>> = found.iter().map(|sql| lexemes(&sql.text)).collect();
                (tokens, report.problems().len())
            };
            prop_assert_eq!(all(stream.clone()), all(without_positions(stream)));
        }
    }
}
