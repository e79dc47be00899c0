//! What is done in phases, as it is planned and told.

use crate::process::Migrate;
use migrate_tests::{Database, server};
use serde_json::json;

const CHAIN: &str = "=== aaa111 m1\ncreate table documents (id int primary key, title text, slug text);\n\
                     === bbb222 m2 after aaa111\nalter table documents alter column title set not null;\n\
                     alter table documents add constraint documents_slug_key unique (slug);\n\
                     alter table documents add check (title <> '');\n";

#[tokio::test]
async fn a_plan_shows_the_phases_below_their_operation() {
    let database = Database::create(server()).await;
    let migrate = Migrate::on(&database, CHAIN);
    migrate.done(&["up", "--to", "m1"]);
    let plan = migrate.done(&["plan", "--large-table", "0"]);
    let cells = |line: &str| line.split("  ").map(str::trim).filter(|cell| !cell.is_empty()).map(str::to_owned).collect::<Vec<_>>();
    let rows: Vec<Vec<String>> = plan
        .lines()
        .filter(|line| ["1 ", "1.", "2 ", "2."].iter().any(|start| line.starts_with(start)) && line.contains("  "))
        .map(cells)
        .collect();
    assert_eq!(rows[0][..3], ["1", "set column `documents.title` not null", "before"]);
    assert!(rows[0][3].starts_with("in phases: `documents` has 0 bytes, and 0 bytes is large; PostgreSQL "), "{plan}");
    assert_eq!(rows[0][4..], ["none", "chain.txt:4"]);
    let validate = "alter table public.documents validate constraint _migrate_title_not_null";
    assert_eq!(rows[2], ["1.2", validate, "its own", "ShareUpdateExclusiveLock on documents"]);
    let build = "create unique index concurrently documents_slug_key on public.documents (slug)";
    assert_eq!(rows[5], ["2.1", build, "none", "ShareUpdateExclusiveLock on documents"]);
    let (_, document) = migrate.json(&["plan", "--large-table", "0"]);
    let phases = &document["revisions"][0]["operations"][1]["phases"];
    assert_eq!((&phases[0]["transaction"], &phases[0]["short"]), (&json!(false), &json!(false)));
    assert_eq!((&phases[1]["transaction"], &phases[1]["short"]), (&json!(true), &json!(true)));
    for small in [&["plan"][..], &["plan", "--large-table", "never"], &["plan", "--large-table", "1.5GiB"]] {
        assert!(!migrate.done(small).contains("in phases"), "{small:?}");
    }
    assert_eq!(migrate.run(&["plan", "--large-table", "64"]).code, 2);
}

#[tokio::test]
async fn the_planned_sql_has_each_phase_by_itself_and_up_tells_them() {
    let (by_hand, by_up) = (Database::create(server()).await, Database::create(server()).await);
    let migrate = Migrate::on(&by_hand, CHAIN);
    migrate.done(&["up", "--to", "m1"]);
    let script = migrate.done(&["plan", "--sql", "--large-table", "0"]);
    assert!(script.contains("\n--   phase 1: ShareUpdateExclusiveLock on documents\ncreate unique index concurrently "), "{script}");
    for statement in script.split(";\n") {
        let alone = database_statement(statement);
        by_hand.execute(&alone).await.unwrap_or_else(|error| panic!("{error}: {alone}"));
    }
    let migrate = Migrate::on(&by_up, CHAIN);
    migrate.done(&["up", "--to", "m1"]);
    let ran = migrate.run(&["up", "--large-table", "0"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let told: Vec<&str> = ran.stderr.lines().filter(|line| line.starts_with("operation ")).collect();
    assert_eq!(told.len(), 7, "{}", ran.stderr);
    assert_eq!(told[3], "operation 2, phase 1 of 2: create unique index concurrently documents_slug_key on public.documents (slug)");
    assert_eq!(by_hand.dump().await, by_up.dump().await);
}

/// Without what begins and ends transactions, since every statement is sent on a connection of its own.
fn database_statement(statement: &str) -> String {
    let lines = statement.lines().filter(|line| !matches!(*line, "begin" | "commit" | "begin;" | "commit;") && !line.starts_with("--"));
    lines.collect::<Vec<_>>().join("\n")
}
