//! One failed statement aborts a transaction, and too many savepoints slow down everybody who reads its rows.

use crate::{NO_LOCK, journal, until, up};
use migrate_tests::{Database, server};
use std::fmt::Write as _;

#[tokio::test]
async fn a_table_that_vanishes_while_the_migration_runs_aborts_nothing() {
    let database = Database::create(server()).await;
    database.execute("create table events (id int primary key)").await.unwrap();
    // the snapshot still has it
    let text = "=== aaa111 m1\n--- optional\ncreate table events (id int primary key);\n--- up\ncreate table first (id int primary key);\n\
                do $$ begin execute 'drop table public.events'; end $$;\nalter table events add column name text;\n\
                alter table first add column name text;\n";
    up(&database, text).await.unwrap();
    assert_eq!(journal(&database).await, "aaa111 2 applied, aaa111 3 applied, aaa111 4 skipped, aaa111 5 applied");
    assert!(!database.log_contains_sqlstate("25P02").await);
}

#[tokio::test]
async fn a_failed_operation_poisons_neither_the_journal_nor_the_lock() {
    let database = Database::create(server()).await;
    let text = "=== aaa111 m1\ncreate table first (id int primary key);\ninsert into first values (1), (1);\n";
    let error = up(&database, text).await.unwrap_err();
    assert_eq!(error.sqlstate().as_deref(), Some("23505"), "{error}");
    assert_eq!(journal(&database).await, "aaa111 2 failed");
    assert_eq!(database.text("select (to_regclass('first') is null)::text").await.unwrap(), "true");
    until(&database, NO_LOCK).await;
    assert!(!database.log_contains_sqlstate("25P02").await);
}

#[tokio::test]
async fn hundreds_of_operations_write_in_no_more_subtransactions_than_the_server_caches() {
    let database = Database::create(server()).await;
    let mut text = "=== aaa111 m1\n".to_owned();
    for number in 0..300 {
        writeln!(text, "create table t{number} (id int primary key);").unwrap();
    }
    up(&database, &text).await.unwrap();
    // what a subtransaction has written has its id; the transaction's own is the journal's
    let ids = "select count(distinct xmin::text)::text from pg_class where relname ~ '^t[0-9]+$'";
    let ids: usize = database.text(ids).await.unwrap().parse().unwrap();
    assert!((2..=64).contains(&ids), "{ids}");
}
