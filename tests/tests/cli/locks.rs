//! Waiting: for another migrator, and for the application.

use crate::process::{CHAIN, Migrate};
use migrate_tests::{Database, server};
use serde_json::json;
use sqlx::{Connection as _, Executor as _};
use std::time::Duration;

/// Waits until a query gives `true`.
pub async fn until(database: &Database, condition: &str) {
    for _ in 0..400 {
        if database.text(&format!("select ({condition})::text")).await.unwrap() == "true" {
            return;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("it never came true that {condition}");
}

pub const SLEEPS: &str = "exists (select from pg_stat_activity where datname = current_database() and query like '%pg_sleep(%' \
                          and state = 'active' and pid <> pg_backend_pid())";

#[tokio::test]
async fn another_migrator_is_named() {
    let database = Database::create(server()).await;
    let slow = Migrate::on(&database, "=== aaa111 m1\nselect pg_sleep(3);\n");
    let mut first = slow.start(&["up"]);
    until(&database, SLEEPS).await;
    let (code, document) = slow.json(&["up", "--wait", "0"]);
    let error = &document["error"];
    assert_eq!((code, &error["kind"], &error["exit_code"]), (6, &json!("locked"), &json!(6)));
    assert!(error["message"].as_str().unwrap().contains(" of postgres (migrate "), "{error}");
    let second = slow.run(&["up", "--wait", "30s"]);
    assert_eq!(second.code, 0, "{second:?}");
    assert_eq!(second.stdout, "nothing to do: at aaa111 (m1)\n");
    assert_eq!(second.stderr.matches("waiting: another migrator is at work: pid ").count(), 1, "{}", second.stderr);
    assert!(first.wait().unwrap().success());
}

#[tokio::test]
async fn a_lock_of_the_application_is_waited_for_and_told() {
    let database = Database::create(server()).await;
    let migrate = Migrate::on(&database, CHAIN);
    migrate.done(&["up", "--to", "b354d12d1e7d"]);
    let mut application = database.connect().await;
    let mut transaction = application.begin().await.unwrap();
    transaction.execute("lock table documents in access share mode").await.unwrap();
    let patience = ["up", "--lock-timeout", "50ms", "--lock-budget", "600ms"];
    let ran = migrate.run(&patience);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.stderr.starts_with("retrying: add column `documents.title` (chain.txt:6): "), "{}", ran.stderr);
    assert!(ran.stderr.contains("(SQLSTATE 55P03)"), "{}", ran.stderr);
    let quiet = migrate.run(&[&patience[..], &["-q"]].concat());
    assert!(quiet.stderr.starts_with("error: "), "{}", quiet.stderr);
    let (_, document) = migrate.json(&patience);
    assert_eq!(document["error"]["sqlstate"], "55P03");
    transaction.rollback().await.unwrap();
    migrate.done(&["up"]);
}
