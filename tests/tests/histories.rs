//! The harness for whole histories, on histories of our own.
#![expect(clippy::unwrap_used, reason = "a test that can't go on has failed")]

use migrate_tests::history::{self, Downs, Migration, Summary};
use migrate_tests::server;
use std::path::Path;

fn migrations(folder: &str) -> Vec<Migration> {
    Migration::read_all(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/histories").join(folder)).unwrap()
}

async fn run(folder: &str) -> (Summary, Vec<String>) {
    let mut told = Vec::new();
    let summary = history::run(&migrations(folder), server(), |line| told.push(line.to_owned())).await.unwrap();
    (summary, told)
}

#[tokio::test]
async fn a_history_replays_and_its_downs_restore() {
    let (summary, told) = run("library").await;
    assert!(summary.is_clean(), "{}\n{summary}", told.join("\n"));
    assert_eq!((summary.migrations, summary.statements, summary.operations), (5, 12, 14));
    // an enum's value can't be taken away again
    assert_eq!(summary.typed, Downs { restore: 4, ..Downs::default() });
    assert_eq!(summary.mixed.none, 1);
}

#[tokio::test]
async fn what_is_wrong_is_told_with_its_place() {
    let (summary, told) = run("broken").await;
    assert!(!summary.is_clean());
    assert_eq!((summary.errors, summary.refused), (2, 1));
    let starts = |start: &str| told.iter().any(|line| line.starts_with(start));
    assert!(starts("0002_wrong.up.sql:3: no column `titel` in table `books`"), "{told:?}");
    assert!(starts("0002_wrong.up.sql:4: no table `nobody`"), "{told:?}");
    assert!(starts("0002_wrong.up.sql: the server refuses it: "), "{told:?}");
}

#[test]
fn the_model_alone_needs_no_server() {
    let mut told = Vec::new();
    let summary = history::replay(&migrations("broken"), |line| told.push(line.to_owned()));
    assert_eq!((summary.migrations, summary.errors), (2, 2));
    assert_eq!(told.len(), 2);
}

#[test]
fn findings_are_counted_by_lint() {
    let mut told = Vec::new();
    let summary = history::lint(&migrations("library"), |line| told.push(line.to_owned()));
    assert_eq!(summary.findings.values().sum::<usize>(), told.len());
    assert_eq!(summary.findings.get("ban_drop_column"), Some(&1));
    let place = "0004_overdue.up.sql:3: ban_drop_column: `isbn`";
    assert!(told.iter().any(|line| line.starts_with(place)), "{told:?}");
    assert!(summary.to_string().contains("    1 times: ban_drop_column\n"), "{summary}");
}
