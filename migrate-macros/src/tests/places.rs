//! From a range of the text back to the source.

use super::statements;
use crate::report::{Place, Report};
use crate::sql::SqlText;
use crate::statement::StatementKind;

fn only(source: &str) -> (SqlText, Report) {
    let (mut statements, report) = statements(source);
    match statements.pop().map(|statement| statement.kind) {
        Some(StatementKind::Sql(sql)) => (sql, report),
        other => panic!("{other:?}"),
    }
}

fn under(source: &str, find: impl Fn(&str) -> std::ops::Range<usize>) -> String {
    let (sql, report) = only(source);
    let range = find(&sql.text);
    report.span(sql.place(range)).source_text().unwrap_or_default()
}

#[test]
fn a_range_gives_the_tokens_it_overlaps() {
    let source = "alter table documents add column \n ai_status text default \"it's\" || 1_000;";
    let range_of = |needle: &'static str| {
        move |text: &str| {
            let start = text.find(needle).unwrap_or_else(|| panic!("{needle} in {text}"));
            start..start + needle.len()
        }
    };
    assert_eq!(under(source, range_of("ai_status")), "ai_status");
    assert_eq!(under(source, range_of("i_stat")), "ai_status");
    assert_eq!(under(source, range_of("documents add")), "documents add");
    assert_eq!(under(source, range_of("t''")), "\"it's\"", "a range inside a string");
    assert_eq!(under(source, range_of("'it''s'")), "\"it's\"");
    assert_eq!(under(source, range_of("||")), "||");
    assert_eq!(under(source, range_of("1000")), "1_000");
}

#[test]
fn an_empty_range_gives_the_token_there_or_the_one_before() {
    let source = "select a  from t ;";
    assert_eq!(under(source, |_| 0..0), "select");
    assert_eq!(under(source, |text| text.find('a').map_or(0..0, |at| at..at)), "a");
    assert_eq!(under(source, |text| text.find(" from").map_or(0..0, |at| at..at)), "a");
    assert_eq!(under(source, |text| text.len()..text.len()), "t");
    assert_eq!(under(source, |text| text.len() + 5..text.len() + 9), "t");
}

#[test]
fn every_range_gives_a_place_and_none_panics() {
    let (sql, report) = only("create table t (a int[] default \"{}\" check (a <> \"x\"));");
    for start in 0..sql.text.len() + 3 {
        for end in 0..sql.text.len() + 3 {
            let place = sql.place(start..end);
            assert_ne!(place, Place::CALL_SITE, "{start}..{end}");
            assert!(report.span(place).source_text().is_some_and(|text| !text.is_empty()), "{start}..{end}");
        }
    }
    assert_eq!(SqlText::default().place(0..1), Place::CALL_SITE);
}

#[test]
fn a_statement_spans_its_tokens_without_attributes_and_semicolon() {
    let source = "/// Why.\n #[allow(x, reason = \"y\")] create table t (a int) ; if exists table t { select 1; }";
    let (statements, report) = statements(source);
    let under: Vec<_> = statements.iter().map(|statement| report.span(statement.place).source_text().unwrap_or_default()).collect();
    assert_eq!(under, ["create table t (a int)", "if exists table t { select 1; }"]);
}
