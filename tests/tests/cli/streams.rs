//! Stdout has the data, stderr the rest; colours only where they are wanted.

use crate::process::{CHAIN, Migrate, Ran};
use migrate_tests::{Database, server};
use std::process::Stdio;

#[tokio::test]
async fn no_colours_unless_they_are_asked_for() {
    let migrate = Migrate::new(CHAIN);
    let plain = migrate.run(&["up"]);
    assert!(!plain.stderr.contains('\u{1b}'), "{}", plain.stderr);
    let coloured = migrate.run(&["up", "--color", "always"]);
    assert!(coloured.stderr.contains("\u{1b}[31m"), "{}", coloured.stderr);
    let forced: Ran = migrate.command(&["up"]).env("CLICOLOR_FORCE", "1").output().unwrap().into();
    assert!(forced.stderr.contains("\u{1b}[31m"), "{}", forced.stderr);
    let never: Ran = migrate.command(&["up", "--color", "never"]).env("CLICOLOR_FORCE", "1").output().unwrap().into();
    assert!(!never.stderr.contains('\u{1b}'), "{}", never.stderr);
}

#[tokio::test]
async fn logs_go_to_stderr_when_they_are_asked_for() {
    let database = Database::create(server()).await;
    let migrate = Migrate::on(&database, CHAIN);
    let logged = migrate.run(&["up", "-v", "--format", "json"]);
    assert_eq!(logged.code, 0);
    serde_json::from_str::<serde_json::Value>(&logged.stdout).unwrap();
    assert!(logged.stderr.contains("m0003_pages") && !logged.stderr.contains("sqlx"), "{}", logged.stderr);
    let statements = migrate.run(&["status", "-vv"]);
    assert!(statements.stderr.contains("sqlx"), "{}", statements.stderr);
    let ran = migrate.run(&["up", "-v", "-q"]);
    assert_eq!(ran.code, 2, "{ran:?}");
}

#[tokio::test]
async fn a_reader_who_goes_away_is_no_error_and_a_full_disk_is() {
    let database = Database::create(server()).await;
    let migrate = Migrate::on(&database, CHAIN);
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let ran: Ran = migrate.command(&["up"]).stdout(writer).output().unwrap().into();
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let ran: Ran = migrate.command(&["status"]).stdout(Stdio::from(full)).output().unwrap().into();
    assert_eq!(ran.code, 1);
    assert!(ran.stderr.starts_with("error: can't write the result: "), "{}", ran.stderr);
}

#[tokio::test]
async fn events_are_told_as_json_while_they_happen() {
    let database = Database::create(server()).await;
    let migrate = Migrate::on(&database, CHAIN);
    let ran = migrate.run(&["up", "--format", "json"]);
    let events: Vec<serde_json::Value> = ran.stderr.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(events[0]["event"], "revision");
    assert!(events.iter().any(|event| event["event"] == "operation" && event["outcome"] == "applied"), "{}", ran.stderr);
    assert_eq!(events.last().unwrap()["event"], "done");
    let quiet = migrate.run(&["down", "--format", "json", "-q"]);
    assert_eq!((quiet.code, quiet.stderr.as_str()), (0, ""));
}
