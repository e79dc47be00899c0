//! Through PgBouncer in transaction mode, where a session is somebody else's after each transaction.
#![expect(clippy::unwrap_used, reason = "a test that can't go on has failed")]

use migrate_runtime::Database as Migrator;
use migrate_tests::chain::chain;
use migrate_tests::pgbouncer::PgBouncer;
use migrate_tests::{Database, server};
use sqlx::{Connection as _, PgConnection};
use std::time::Duration;

const CHAIN: &str = "=== aaa111 m1\ncreate table first (id int primary key);\ninsert into first select generate_series(1, 1000);\n\
                     === bbb222 m2 after aaa111\nalter table first add column name text;\ncreate index first_name_idx on first (name);\n";
const SETTINGS: &str = "select string_agg(name || '=' || setting, ' ' order by name) from pg_settings where name in \
                        ('search_path', 'lock_timeout', 'statement_timeout', 'idle_in_transaction_session_timeout', 'check_function_bodies', \
                         'client_min_messages')";

/// What the sessions of the pool are set to, one after the other.
async fn settings(url: &str) -> Vec<String> {
    let mut connections = Vec::new();
    let mut settings = Vec::new();
    for _ in 0..4 {
        let mut connection = PgConnection::connect(url).await.unwrap();
        sqlx::raw_sql("begin").execute(&mut connection).await.unwrap();
        let row = sqlx::raw_sql(SETTINGS).fetch_one(&mut connection).await.unwrap();
        settings.push(sqlx::Row::get(&row, 0));
        connections.push(connection);
    }
    settings
}

#[tokio::test]
async fn migrations_go_up_and_down_and_leave_the_sessions_as_they_were() {
    let database = Database::create(server()).await;
    let bouncer = PgBouncer::start(server(), 4);
    let url = bouncer.url(database.url());
    let before = settings(&url).await;
    let migrator = Migrator::new(url.as_str()).unwrap();
    let summary = migrator.up(chain(CHAIN), None).await.unwrap();
    assert_eq!(summary.current[0].revision, "bbb222");
    migrator.down(chain(CHAIN), &migrate_runtime::DownTo::Steps(1)).await.unwrap();
    migrator.up(chain(CHAIN), None).await.unwrap();
    assert!(migrator.up(chain(CHAIN), None).await.unwrap().revisions.is_empty());
    assert_eq!(settings(&url).await, before);
    // the pooler rolls back what a client has left open once it sees it gone
    let held = "select count(*)::text from pg_locks where locktype = 'advisory' \
                and database = (select oid from pg_database where datname = current_database())";
    let freed = async {
        while database.text(held).await.unwrap() != "0" {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), freed).await.unwrap();
}

#[tokio::test]
async fn many_at_once_do_everything_once() {
    let database = Database::create(server()).await;
    // each migrator needs two: one is its transaction, the other holds the lock
    let bouncer = PgBouncer::start(server(), 20);
    let url = bouncer.url(database.url());
    let all = (0..16).map(|_| {
        let url = url.clone();
        tokio::spawn(async move {
            Migrator::new(url.as_str()).unwrap().up(chain(CHAIN), None).await.map(|summary| summary.current[0].revision.clone())
        })
    });
    for one in all.collect::<Vec<_>>() {
        assert_eq!(one.await.unwrap().unwrap(), "bbb222");
    }
    let counted = "select string_agg(revision || ' ' || number || ' ' || count, ', ' order by revision, number) from \
                   (select revision, number, count(*) from _migrate.operations where outcome = 'applied' group by 1, 2) as counted";
    assert_eq!(database.text(counted).await.unwrap(), "aaa111 1 1, aaa111 2 1, bbb222 1 1, bbb222 2 1");
}

#[tokio::test]
async fn what_needs_a_session_is_refused_before_anything_is_done() {
    let database = Database::create(server()).await;
    let bouncer = PgBouncer::start(server(), 4);
    let text = "=== aaa111 m1\ncreate table first (id int primary key);\ncreate index concurrently first_idx on first (id);\n";
    let error = Migrator::new(bouncer.url(database.url()).as_str()).unwrap().up(chain(text), None).await.unwrap_err();
    let expected = "create index `first_idx` on `first` (chain.txt:3) failed: it can't be in a transaction, and this connection goes through a pooler that \
                    has sessions for one transaction only";
    assert_eq!(error.what(), expected);
    assert_eq!(database.text("select count(*)::text from pg_class where relname = 'first'").await.unwrap(), "0");
    // the server itself takes it
    Migrator::new(database.url()).unwrap().up(chain(text), None).await.unwrap();
}

#[tokio::test]
async fn what_needs_a_session_is_refused_behind_an_open_transaction_too() {
    let database = Database::create(server()).await;
    let bouncer = PgBouncer::start(server(), 4);
    let url = bouncer.url(database.url());
    let before = settings(&url).await;
    // what an opaque statement has left is looked at in the transaction that it was run in, before it goes on
    let text = "=== aaa111 m1\n--- optional\ncreate table second (id int);\n--- up\ncreate table first (id int primary key);\n\
                do $$ begin execute 'create table second (id int)'; end $$;\nalter table second add column name text;\n\
                create index concurrently first_idx on first (id);\n";
    let error = Migrator::new(url.as_str()).unwrap().up(chain(text), None).await.unwrap_err();
    assert!(error.what().contains("this connection goes through a pooler"), "{error}");
    // what the transaction had done is committed, and recorded
    assert_eq!(database.text("select state from _migrate.revisions").await.unwrap(), "started");
    assert_eq!(
        database
            .text("select string_agg(relname, ' ' order by relname) from pg_class where relname in ('first', 'second', 'first_idx')")
            .await
            .unwrap(),
        "first second"
    );
    assert_eq!(settings(&url).await, before);
    // the server itself goes on from there
    Migrator::new(database.url()).unwrap().up(chain(text), None).await.unwrap();
}

#[tokio::test]
async fn what_is_done_in_transactions_only_needs_no_session() {
    let database = Database::create(server()).await;
    let bouncer = PgBouncer::start(server(), 4);
    let url = bouncer.url(database.url());
    let before = settings(&url).await;
    let base = "=== aaa111 m1\ncreate table first (id int primary key, name text);\n=== bbb222 m2 after aaa111\n";
    let phases = format!("{base}alter table first alter column name set not null;\nalter table first add check (name <> '');\n");
    let options = migrate_runtime::Options { large_table: 0, ..migrate_runtime::Options::default() };
    let migrator = Migrator::new(url.as_str()).unwrap().with_options(options);
    migrator.up(chain(&phases), Some("m1")).await.unwrap();
    let summary = migrator.up(chain(&phases), None).await.unwrap();
    assert!(summary.revisions[0].operations.iter().all(|operation| operation.evidence.starts_with("in phases: ")));
    assert_eq!(settings(&url).await, before);
    migrator.down(chain(&phases), &migrate_runtime::DownTo::Steps(1)).await.unwrap();
    // a unique index is built outside of transactions: that is refused before the first phase of another operation
    let unique = format!("{base}alter table first alter column name set not null;\nalter table first add unique (name);\n");
    let error = migrator.up(chain(&unique), None).await.unwrap_err();
    assert!(error.to_string().contains("sessions for one transaction only"), "{error}");
    assert_eq!(
        database
            .text("select count(*)::text from pg_attribute where attrelid = 'first'::regclass and attname = 'name' and attnotnull")
            .await
            .unwrap(),
        "0"
    );
}
