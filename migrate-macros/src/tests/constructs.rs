//! The statements that are not SQL, and what stands before any statement.

use super::{complaints, seen, sql, statements, tokens};
use crate::report::Report;
use crate::statement::{Block, Dialect, Statement, StatementKind};
use crate::{grammar, spelling};

fn only(source: &str) -> Statement {
    let (mut statements, report) = statements(source);
    assert_eq!(complaints(&report), []);
    assert_eq!(statements.len(), 1, "{statements:?}");
    statements.remove(0)
}

fn mistakes(source: &str) -> Vec<(String, String)> {
    complaints(&statements(source).1)
}

fn complaint(under: &str, message: &str) -> Vec<(String, String)> {
    vec![(under.to_owned(), message.to_owned())]
}

#[test]
fn statements_end_at_semicolons_of_the_top_level() {
    assert_eq!(sql("select 1; ;; select (2); select 3"), ["select 1", "select (2)", "select 3"]);
    assert_eq!(
        sql("create rule r as on insert to t do also (insert into a values (1); insert into b values (2)); select 1;"),
        ["create rule r as on insert to t do also (insert into a values (1); insert into b values (2))", "select 1"]
    );
    assert_eq!(sql(""), [""; 0]);
}

#[test]
fn the_body_of_an_atomic_function_is_part_of_its_statement() {
    let function = "create or replace function f(a int) returns int begin atomic \
        select case when a > 0 then case a when 1 then 2 end else 3 end; \
        select a as end, t.end, t.case from t; select 1; end";
    assert_eq!(sql(&format!("{function}; select 2;")), [function, "select 2"]);
    assert_eq!(sql(&format!("select 0; {function}")), ["select 0", function]);
    assert_eq!(sql("begin; select 1; end; begin atomic; end;"), ["begin", "select 1", "end", "begin atomic", "end"]);
}

#[test]
fn include_takes_a_path() {
    match only("include \"schema/production.sql\";").kind {
        StatementKind::Include { path } => assert_eq!(path.value, "schema/production.sql"),
        other => panic!("{other:?}"),
    }
    let message = "`include` needs the path of an SQL file";
    assert_eq!(mistakes("include schema.sql;"), complaint("include schema.sql", message));
    assert_eq!(mistakes("include \"\"; select 1;"), complaint("include \"\"", message));
    assert_eq!(mistakes("include;"), complaint("include", message));
    assert_eq!(mistakes("include \"a.sql\" select 1;"), complaint("select", "expected `;` after `include …`"));
}

#[test]
fn run_takes_the_path_of_a_function() {
    for (source, global, expected) in [
        ("run backfill_titles;", false, vec!["backfill_titles"]),
        ("run super::steps::titles", false, vec!["super", "steps", "titles"]),
        ("RUN ::other::titles;", true, vec!["other", "titles"]),
        ("run r#type;", false, vec!["type"]),
    ] {
        match only(source).kind {
            StatementKind::Run { function, over: None } => {
                let segments: Vec<&str> = function.segments.iter().map(|segment| segment.value.as_str()).collect();
                assert_eq!((function.global, segments), (global, expected));
            }
            other => panic!("{other:?}"),
        }
    }
    let message = "`run` needs the path of an async function";
    assert_eq!(mistakes("run;"), complaint("run", message));
    assert_eq!(mistakes("run \"f\";"), complaint("run \"f\"", message));
    assert_eq!(mistakes("run a::;"), complaint("run a::", message));
    assert_eq!(mistakes("run f(1);"), complaint("(1)", "expected `;` after `run …`"));
    assert_eq!(mistakes("run f select 1;"), complaint("select", "expected `;` after `run …`"));
}

#[test]
fn if_exists_takes_a_table_and_statements() {
    let source = "if exists table s.@\"T\" { alter table s.@\"T\" add column a int; run f; } select 1;";
    let (statements, report) = statements(source);
    assert_eq!(complaints(&report), []);
    assert_eq!(statements.len(), 2);
    match &statements[0].kind {
        StatementKind::IfExists { table, body } => {
            assert_eq!(table.text, "s.\"T\"");
            assert_eq!(body.len(), 2);
            assert!(matches!(body[1].kind, StatementKind::Run { .. }));
        }
        other => panic!("{other:?}"),
    }
    let message = "`if` asks only whether a table exists";
    for source in [
        "if exists view v { select 1; }",
        "if not exists table t { select 1; }",
        "if exists table { select 1; }",
        "if exists table a b { select 1; }",
        "if exists table a. { select 1; }",
        "if x;",
    ] {
        let under = source.split(['{', ';']).next().unwrap_or_default().trim();
        assert_eq!(mistakes(&format!("{source} select 2;")), complaint(under, message));
    }
    assert_eq!(
        mistakes("if exists table t; { select 1; }")[0],
        ("if exists table t".to_owned(), "`if exists table` needs statements in braces".to_owned())
    );
}

#[test]
fn dialects_take_statements() {
    match only("sqlite { select 1; select 2; }").kind {
        StatementKind::Dialect { dialect, body } => assert_eq!((dialect, body.len()), (Dialect::Sqlite, 2)),
        other => panic!("{other:?}"),
    }
    match only("postgres { };").kind {
        StatementKind::Dialect { dialect, body } => assert_eq!((dialect, body.len()), (Dialect::Postgres, 0)),
        other => panic!("{other:?}"),
    }
    let (_, report) = statements("postgresql { select 1; } mysql { select 1; }");
    let helps: Vec<_> = seen(&report).into_iter().map(|seen| (seen.under, seen.help.unwrap_or_default())).collect();
    assert_eq!(
        helps,
        [
            ("postgresql".to_owned(), "write `postgres { … }`".to_owned()),
            ("mysql".to_owned(), "write `sqlite { … }` or `postgres { … }`".to_owned()),
        ]
    );
}

#[test]
fn assert_takes_a_message_and_a_query() {
    match only("assert \"no orphans\" select count(*) = 0 from t;").kind {
        StatementKind::Assert { message, query } => {
            assert_eq!((message.value.as_str(), query.text.as_str()), ("no orphans", "select count(*) = 0 from t"));
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(mistakes("assert select 1;"), complaint("select", "`assert` needs a message that says what must be true"));
    assert_eq!(mistakes("assert \" \" select 1;"), complaint("\" \"", "`assert` needs a message that says what must be true"));
    assert_eq!(mistakes("assert \"m\";"), complaint("assert \"m\"", "`assert` needs a query after its message"));
}

#[test]
fn backfill_is_a_statement_that_core_reads() {
    assert_eq!(
        sql("backfill update t set a = \"b\" in batches of 1000; select 1;"),
        ["backfill update t set a = 'b' in batches of 1000", "select 1"]
    );
}

#[test]
fn run_takes_batches_of_a_table() {
    match only("run steps::titles in batches of 1_000 over app.@\"Docs\";").kind {
        StatementKind::Run { function, over: Some(over) } => {
            assert_eq!(function.segments.len(), 2);
            assert_eq!((over.size, &over.statement.text[over.table_at..]), (1000, "app.\"Docs\""));
        }
        other => panic!("{other:?}"),
    }
    let message = "`run … in batches` needs their size and a table";
    for source in ["in batches of 10", "in batches", "in batches of 10 over", "in batches of 10 over a b", "in batches over t"] {
        assert_eq!(mistakes(&format!("run f {source}; select 1;")), complaint(source, message));
    }
    let size = "the size of a batch is a whole number of rows";
    assert_eq!(mistakes("run f in batches of many over t;"), complaint("many", size));
    assert_eq!(mistakes("run f in batches of 0 over t;"), complaint("0", "a batch has at least one row"));
}

#[test]
fn declarations_run_nothing() {
    let mut report = Report::new();
    let source = tokens("create table t (); run f; backfill delete from t in batches of 10; assert \"m\" select 1; include \"a.sql\";");
    let read = spelling::read(source, &mut report);
    let statements = grammar::parse(&read, Block::Optional, &mut report);
    assert_eq!(statements.len(), 2);
    assert_eq!(
        complaints(&report),
        [
            ("run".to_owned(), "`run` has no place in `optional!`, which declares tables and runs nothing".to_owned()),
            ("backfill".to_owned(), "`backfill` has no place in `optional!`, which declares tables and runs nothing".to_owned()),
            ("assert".to_owned(), "`assert` has no place in `optional!`, which declares tables and runs nothing".to_owned()),
        ]
    );
}

#[test]
fn documentation_and_allows_belong_to_the_next_statement() {
    let source = "/// First.\n /// Second.\n #[allow(renaming_column, blocking_index, reason = \"no reader\",)]
        #[allow(drop_table, reason = r\"why\")] run f; select 1;";
    let (statements, report) = statements(source);
    assert_eq!(complaints(&report), []);
    assert_eq!(statements[0].documentation.as_deref(), Some("First.\nSecond."));
    let allows: Vec<(Vec<&str>, &str)> = statements[0]
        .allows
        .iter()
        .map(|allow| (allow.lints.iter().map(|lint| lint.value.as_str()).collect(), allow.reason.value.as_str()))
        .collect();
    assert_eq!(allows, [(vec!["renaming_column", "blocking_index"], "no reader"), (vec!["drop_table"], "why")]);
    assert_eq!((statements[1].documentation.as_deref(), statements[1].allows.len()), (None, 0));
}

#[test]
fn an_allow_needs_lints_and_a_reason() {
    let without_reason = "`allow` gives no reason";
    assert_eq!(mistakes("#[allow(x)] select 1;"), complaint("#[allow(x)]", without_reason));
    assert_eq!(mistakes("#[allow(x, reason = \" \")] select 1;"), complaint("#[allow(x, reason = \" \")]", without_reason));
    assert_eq!(mistakes("#[allow(reason = \"y\")] select 1;"), complaint("#[allow(reason = \"y\")]", "`allow` names no lint"));
    let malformed = "`allow` takes names of lints and a reason";
    assert_eq!(mistakes("#[allow] select 1;"), complaint("#[allow]", malformed));
    assert_eq!(mistakes("#[allow(a::b, reason = \"y\")] select 1;"), complaint("a::b", malformed));
    assert_eq!(mistakes("#[allow(x, reason = 1)] select 1;"), complaint("reason = 1", malformed));
    assert_eq!(mistakes("#[cfg(unix)] select 1;"), complaint("#[cfg(unix)]", "`#[cfg]` has no meaning on a statement"));
    assert_eq!(mistakes("#[as_written(x)] select 1;"), complaint("#[as_written(x)]", "`#[as_written]` has no meaning on a statement"));
    let nothing = "there is no statement after this attribute";
    assert_eq!(mistakes("select 1; #[allow(x, reason = \"y\")]"), complaint("#[allow(x, reason = \"y\")]", nothing));
    assert_eq!(mistakes("#[allow(x, reason = \"y\")]; "), complaint("#[allow(x, reason = \"y\")]", nothing));
}
