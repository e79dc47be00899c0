//! Locks: those that the application waits for, and those of migrators among themselves.

use crate::{NO_LOCK, until, up};
use migrate_runtime::{Database as Migrator, Options};
use migrate_tests::chain::chain;
use migrate_tests::{Database, server};
use sqlx::{Connection as _, Executor as _};
use std::time::{Duration, Instant};

const BASE: &str = "=== aaa111 m1\ncreate table items (id int primary key, name text);\n";

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn who_queues_behind_the_migration_waits_no_longer_than_its_timeout() {
    let database = Database::create(server()).await;
    up(&database, BASE).await.unwrap();
    let mut reporting = database.connect().await;
    let mut transaction = reporting.begin().await.unwrap();
    transaction.execute("select count(*) from items").await.unwrap();
    let options = Options { lock_timeout: Duration::from_millis(200), lock_budget: Duration::from_secs(30), ..Options::default() };
    let migrator = Migrator::new(database.url()).unwrap().with_options(options);
    let text = format!("{BASE}=== bbb222 m2 after aaa111\nalter table items add column note text;\n");
    let migration = tokio::spawn(async move { migrator.up(chain(&text), None).await });
    let (began, mut worst, mut asked) = (Instant::now(), Duration::ZERO, 0);
    let mut application = database.connect().await;
    while began.elapsed() < Duration::from_secs(3) {
        let sent = Instant::now();
        application.execute("select count(*) from items").await.unwrap();
        worst = worst.max(sent.elapsed());
        asked += 1;
    }
    assert!(!migration.is_finished(), "the migration was never in anybody's way");
    transaction.commit().await.unwrap();
    migration.await.unwrap().unwrap();
    // 200 ms, and what a busy machine adds
    assert!(worst > Duration::from_millis(100) && worst < Duration::from_millis(700), "{worst:?}, the longest of {asked}");
}

#[tokio::test]
async fn no_lock_outlives_a_migrator() {
    let database = Database::create(server()).await;
    up(&database, BASE).await.unwrap();
    until(&database, NO_LOCK).await;
    up(&database, &format!("{BASE}=== bbb222 m2 after aaa111\nselect 1 / 0;\n")).await.unwrap_err();
    until(&database, NO_LOCK).await;
    // dropped in the middle, as by a panic
    let text = format!("{BASE}=== bbb222 m2 after aaa111\nselect pg_sleep(1);\n");
    let migrator = Migrator::new(database.url()).unwrap();
    tokio::time::timeout(Duration::from_millis(400), migrator.up(chain(&text), None)).await.unwrap_err();
    until(&database, NO_LOCK).await;
    up(&database, &text).await.unwrap();
}

#[tokio::test]
async fn migrators_that_wait_do_not_stop_a_concurrent_index_whatever_isolation_is_the_default() {
    for isolation in ["repeatable read", "serializable"] {
        let database = Database::create(server()).await;
        database.execute(&format!("alter database {} set default_transaction_isolation = '{isolation}'", database.name())).await.unwrap();
        let text = format!(
            "{BASE}insert into items select i, i from generate_series(1, 20000) as i (i);\nselect pg_sleep(0.5);\n\
             === bbb222 m2 after aaa111\ncreate index concurrently items_name_idx on items (name);\n"
        );
        let all = (0..4).map(|_| {
            let (url, text) = (database.url().to_owned(), text.clone());
            tokio::spawn(async move { Migrator::new(url.as_str()).unwrap().up(chain(&text), None).await })
        });
        for one in all.collect::<Vec<_>>() {
            let done = tokio::time::timeout(Duration::from_mins(1), one).await.unwrap_or_else(|_| panic!("it hangs: {isolation}"));
            assert_eq!(done.unwrap().unwrap().current[0].revision, "bbb222");
        }
        assert_eq!(
            database.text("select indisvalid::text from pg_index where indexrelid = 'items_name_idx'::regclass").await.unwrap(),
            "true"
        );
    }
}
