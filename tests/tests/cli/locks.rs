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

pub const SLEEPS: &str = "exists (select from pg_stat_activity where datname = current_database() and wait_event = 'PgSleep')";

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
    let (pid,): (i32,) = sqlx::query_as("select pg_backend_pid()").fetch_one(&mut application).await.unwrap();
    let mut transaction = application.begin().await.unwrap();
    transaction.execute("lock table documents in access share mode").await.unwrap();
    let patience = ["up", "--lock-timeout", "500ms", "--lock-budget", "1s"];
    let ran = migrate.run(&patience);
    assert_eq!(ran.code, 1, "{ran:?}");
    let blocker = format!("pid {pid} of postgres (from 127.0.0.1), idle in transaction, its transaction is ");
    let told: Vec<&str> = ran.stderr.lines().filter(|line| line.starts_with("waiting for a lock: ")).collect();
    assert_eq!(told.len(), 1, "{}", ran.stderr);
    assert!(told[0].contains(&blocker) && told[0].ends_with(" s old: lock table documents in access share mode"), "{}", told[0]);
    assert!(ran.stderr.contains("\nretrying: add column `documents.title` (chain.txt:6): "), "{}", ran.stderr);
    assert!(ran.stderr.contains(&format!("; in the way: {blocker}")), "{}", ran.stderr);
    assert!(ran.stderr.contains("(SQLSTATE 55P03)"), "{}", ran.stderr);
    let quiet = migrate.run(&[&patience[..], &["-q"]].concat());
    assert!(quiet.stderr.starts_with("error: "), "{}", quiet.stderr);
    let (_, document) = migrate.json(&patience);
    assert_eq!(document["error"]["sqlstate"], "55P03");
    transaction.rollback().await.unwrap();
    migrate.done(&["up"]);
}

#[tokio::test]
async fn a_transaction_that_an_index_is_built_behind_is_told() {
    let database = Database::create(server()).await;
    let chain = "=== aaa111 m1\ncreate table items (id int primary key, name text);\n\
                 === bbb222 m2 after aaa111\ncreate index concurrently items_name_idx on items (name);\n";
    let migrate = Migrate::on(&database, chain);
    migrate.done(&["up", "--to", "aaa111"]);
    let mut application = database.connect().await;
    let (pid,): (i32,) = sqlx::query_as("select pg_backend_pid()").fetch_one(&mut application).await.unwrap();
    let mut transaction = application.begin().await.unwrap();
    transaction.execute("insert into items values (1, 'a')").await.unwrap();
    let child = migrate.start(&["up"]);
    // longer than it takes until somebody looks
    until(
        &database,
        "exists (select from pg_stat_activity where datname = current_database() and query like 'create index concurrently%' \
         and wait_event_type = 'Lock' and clock_timestamp() - query_start > interval '1 second')",
    )
    .await;
    transaction.commit().await.unwrap();
    let ran: crate::process::Ran = child.wait_with_output().unwrap().into();
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(ran.stderr.matches(&format!("waiting for a lock: pid {pid} of postgres (from 127.0.0.1), idle in transaction")).count(), 1);
}

#[tokio::test]
async fn a_duplicate_that_a_concurrent_index_finds_is_named_and_leaves_nothing() {
    let database = Database::create(server()).await;
    let chain = "=== aaa111 m1\ncreate table items (id int primary key, name text);\n\
                 === bbb222 m2 after aaa111\ncreate unique index concurrently items_name_key on items (name);\n";
    let migrate = Migrate::on(&database, chain);
    migrate.done(&["up", "--to", "aaa111"]);
    database.execute("insert into items values (1, 'a'), (2, 'b'), (3, 'a')").await.unwrap();
    let ran = migrate.run(&["up"]);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.stderr.contains("Key (name)=(a) is duplicated. (SQLSTATE 23505)"), "{}", ran.stderr);
    assert_eq!(database.text("select count(*)::text from pg_index where not indisvalid").await.unwrap(), "0");
    database.execute("delete from items where id = 3").await.unwrap();
    migrate.done(&["up"]);
    assert_eq!(database.text("select indisvalid::text from pg_index where indexrelid = 'items_name_key'::regclass").await.unwrap(), "true");
}

#[tokio::test]
async fn a_deadlock_with_the_application_is_tried_again() {
    let database = Database::create(server()).await;
    let chain = "=== aaa111 m1\ncreate table first (id int primary key);\ncreate table second (id int primary key);\n\
                 === bbb222 m2 after aaa111\nalter table first add column name text;\nalter table second add column name text;\n";
    let migrate = Migrate::on(&database, chain);
    migrate.done(&["up", "--to", "aaa111"]);
    let mut application = database.connect().await;
    // whoever looks first is the victim: the application never looks
    application.execute("set deadlock_timeout = '10min'").await.unwrap();
    let mut transaction = application.begin().await.unwrap();
    transaction.execute("insert into second values (1)").await.unwrap();
    let child = migrate.start(&["up", "--lock-timeout", "1m"]);
    until(
        &database,
        "exists (select from pg_stat_activity where datname = current_database() and application_name like 'migrate %' \
         and wait_event_type = 'Lock')",
    )
    .await;
    transaction.execute("insert into first values (1)").await.unwrap();
    transaction.commit().await.unwrap();
    let ran: crate::process::Ran = child.wait_with_output().unwrap().into();
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.stderr.contains("retrying: add column `second.name` (chain.txt:6): deadlock detected"), "{}", ran.stderr);
    assert_eq!(database.text("select count(*)::text from first join second using (id, name)").await.unwrap(), "0");
    assert_eq!(database.text("select count(*)::text from first join second using (id)").await.unwrap(), "1");
}
