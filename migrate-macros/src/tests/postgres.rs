//! Statements as people write them, in Rust's spelling, come out as SQL that PostgreSQL's grammar accepts.

use squawk_syntax::{SourceFile, SyntaxKind};

use super::{sql_of, tokens, without_positions};

/// The tokens of SQL, without white space.
pub fn lexemes(sql: &str) -> Vec<String> {
    let parsed = SourceFile::parse(sql);
    parsed
        .syntax_node()
        .descendants_with_tokens()
        .filter_map(|element| {
            let token = element.as_token()?;
            (token.kind() != SyntaxKind::WHITESPACE).then(|| token.text().to_owned())
        })
        .collect()
}

const STATEMENTS: &str = include_str!("statements.txt");

/// Each statement of the file, which are separated by empty lines.
fn samples() -> Vec<&'static str> {
    STATEMENTS.split("\n\n").map(str::trim).filter(|sample| !sample.is_empty()).collect()
}

#[test]
fn real_statements_parse_as_postgresql() {
    let samples = samples();
    assert!(samples.len() >= 60, "{} statements", samples.len());
    for sample in samples {
        let found = sql_of(tokens(sample));
        assert_eq!(found.len(), 1, "{sample}");
        for sql in found {
            let errors = SourceFile::parse(&sql).errors();
            assert!(errors.is_empty(), "{errors:?}\n{sql}");
        }
    }
}

#[test]
fn real_statements_are_the_same_without_positions() {
    for sample in samples() {
        let with: Vec<_> = sql_of(tokens(sample)).iter().map(|sql| lexemes(sql)).collect();
        let without: Vec<_> = sql_of(without_positions(tokens(sample))).iter().map(|sql| lexemes(sql)).collect();
        assert_eq!(with, without, "{sample}");
    }
}

#[test]
fn all_of_them_are_one_block() {
    let samples = samples();
    let whole = sql_of(tokens(STATEMENTS));
    assert_eq!(whole.len(), samples.len());
    for (sample, sql) in samples.iter().zip(whole) {
        let alone = sql_of(tokens(sample)).join("");
        assert_eq!(lexemes(&alone), lexemes(&sql), "{sample}");
    }
}
