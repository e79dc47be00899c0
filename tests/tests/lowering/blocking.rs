//! Readers and writers go on while a phase takes long, and a lock that isn't free doesn't cost what was done before.

use super::{KINDS, chain_of, filled, migrator, options, state};
use migrate_runtime::{Database as Migrator, Event, Options};
use migrate_tests::{Database, server, servers};
use sqlx::{AssertSqlSafe, PgConnection};
use std::sync::Arc;
use std::time::Duration;

pub(crate) async fn run(connection: &mut PgConnection, sql: &str) {
    sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(connection).await.unwrap();
}

/// Waits until our session waits for a lock with that statement.
pub(crate) async fn until_it_waits(database: &Database, statement: &str) {
    let waits = format!(
        "select count(*)::text from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock' \
         and query like '%{statement}%' and pid <> pg_backend_pid()"
    );
    while database.text(&waits).await.unwrap() == "0" {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn readers_and_writers_go_on_while_rows_are_read() {
    for server in servers() {
        for kind in KINDS.iter().filter(|kind| !kind.name.contains("primary") && !kind.violate.is_empty()) {
            let chain = chain_of(kind.statement);
            let database = filled(server, chain).await;
            let mut other = database.connect().await;
            let long = if kind.name == "unique" { "create unique index concurrently" } else { "validate constraint" };
            // the lock of `vacuum`, taken as soon as the long phase is about to begin, holds it up where it has taken
            // its place in the queue: what is behind it there waits for no less than it
            let (begins, begun) = tokio::sync::oneshot::channel();
            let begins = std::sync::Mutex::new(Some(begins));
            let observer = Arc::new(move |event: &Event| {
                if let Event::Phase { sql, .. } = event
                    && sql[0].contains(long)
                    && let Some(begins) = begins.lock().unwrap().take()
                {
                    begins.send(()).unwrap();
                    // on a thread of its own: the other session has its lock before this one goes on
                    std::thread::sleep(Duration::from_millis(300));
                }
            });
            let options = Options { large_table: 0, observer: Some(observer), ..Options::default() };
            let migrator = Migrator::new(database.url()).unwrap().with_options(options);
            let up = std::thread::spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                runtime.block_on(migrator.up(chain, None))
            });
            begun.await.unwrap();
            run(&mut other, "begin; lock table orders in share update exclusive mode").await;
            until_it_waits(&database, long).await;
            // `lock_timeout` doesn't end what takes long
            tokio::time::sleep(Duration::from_millis(700)).await;
            let mut application = database.connect().await;
            run(&mut application, "set lock_timeout = '2s'; select count(*) from orders; select count(*) from people").await;
            run(&mut application, "insert into orders values (1000, 1, 'new@x', 1); update orders set amount = 2 where id = 7; delete from orders where id = 88").await;
            run(&mut application, "update people set email = 'other@x' where id = 100; insert into people values (1000, 'last@x')").await;
            run(&mut other, "commit").await;
            up.join().unwrap().unwrap();
            assert_eq!(database.text("select count(*)::text from orders").await.unwrap(), "100", "{}", kind.name);
        }
    }
}

#[tokio::test]
async fn a_strong_lock_that_is_not_free_is_tried_again_and_what_was_done_holds() {
    let chain = chain_of("alter table orders alter column email set not null");
    let database = filled(server(), chain).await;
    let mut reader = database.connect().await;
    run(&mut reader, "begin; select count(*) from orders").await;
    let (own, told) = options(0);
    let impatient = Options { lock_timeout: Duration::from_millis(50), lock_budget: Duration::from_millis(400), ..own };
    let migrator = Migrator::new(database.url()).unwrap().with_options(impatient.clone());
    // the first phase doesn't get its lock: nothing is there
    let before = state(&database).await;
    let error = migrator.up(chain, None).await.unwrap_err();
    assert_eq!(error.sqlstate().as_deref(), Some("55P03"), "{error}");
    assert_eq!(state(&database).await, before);
    // the last one doesn't get it: what was validated holds
    run(&mut reader, "commit").await;
    database.execute("alter table orders add constraint _migrate_email_not_null check (email is not null) not valid").await.unwrap();
    run(&mut reader, "begin; select count(*) from orders").await;
    told.lock().unwrap().clear();
    let error = migrator.up(chain, None).await.unwrap_err();
    assert_eq!(error.sqlstate().as_deref(), Some("55P03"), "{error}");
    assert_eq!(error.now().as_deref(), Some("the phases before it hold, and the next `up` goes on from there"));
    assert!(state(&database).await.contains("_migrate_email_not_null CHECK ((email IS NOT NULL)) true"));
    run(&mut reader, "commit").await;
    told.lock().unwrap().clear();
    migrator.up(chain, None).await.unwrap();
    assert_eq!(told.lock().unwrap().len(), 1, "only the last phase was left: {told:?}");
    assert!(!state(&database).await.contains("_migrate_"), "the check is gone again");
}

#[tokio::test]
async fn without_phases_writers_would_have_waited() {
    let chain = chain_of("alter table orders add check (amount > 0)");
    let database = filled(server(), chain).await;
    let mut other = database.connect().await;
    run(&mut other, "begin; lock table orders in share update exclusive mode").await;
    let (migrator, _) = migrator(database.url(), u64::MAX);
    let (result, ()) = tokio::join!(migrator.up(chain, None), async {
        until_it_waits(&database, "add constraint").await;
        let mut application = database.connect().await;
        let read = sqlx::raw_sql("set lock_timeout = '100ms'; select count(*) from orders").execute(&mut application).await;
        assert!(read.is_err(), "a reader waits behind an access exclusive lock");
        run(&mut other, "commit").await;
    });
    result.unwrap();
}
