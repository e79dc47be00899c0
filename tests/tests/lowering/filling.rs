//! A column is filled in batches: every row gets a value of its own, what is set is left alone, and nobody waits.

use super::blocking::run;
use super::{chain_of, filled, migrator, state};
use migrate_runtime::{Database as Migrator, DownTo, Event, Migrations, Observer, Options};
use migrate_tests::chain::chain;
use migrate_tests::{Database, server, servers};
use sqlx::Connection as _;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

const TOKEN: &str = "alter table orders add column token uuid default gen_random_uuid()";
const NEVER_NULL: &str = "alter table orders add column token uuid not null default gen_random_uuid()";

/// Runs SQL in a session of its own, from an observer.
fn elsewhere(url: &str, sql: &str) {
    let (url, sql) = (url.to_owned(), sql.to_owned());
    let other = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut connection = sqlx::PgConnection::connect(&url).await.unwrap();
            run(&mut connection, &sql).await;
        });
    });
    other.join().unwrap();
}

/// A migrator that runs SQL in another session before that phase.
fn meddled(database: &Database, before: usize, sql: &'static str) -> Migrator {
    let url = database.url().to_owned();
    let observer: Observer = Arc::new(move |event: &Event| {
        if matches!(event, Event::Phase { phase, .. } if *phase == before) {
            elsewhere(&url, sql);
        }
    });
    let options = Options { large_table: 0, observer: Some(observer), ..Options::default() };
    Migrator::new(database.url()).unwrap().with_options(options)
}

/// A migrator that dies once so many batches are committed.
async fn dies_after_batches(database: &Database, chain: Migrations, batches: u64) {
    let observer: Observer = Arc::new(move |event: &Event| {
        if matches!(event, Event::Backfill(progress) if progress.batches == batches) {
            std::panic::resume_unwind(Box::new("dies"));
        }
    });
    let options = Options { large_table: 0, observer: Some(observer), ..Options::default() };
    let dying = Migrator::new(database.url()).unwrap().with_options(options);
    assert!(tokio::spawn(async move { dying.up(chain, None).await }).await.unwrap_err().is_panic());
}

async fn large(server: &migrate_tests::Server, chain: Migrations) -> Database {
    let database = filled(server, chain).await;
    database.execute("insert into orders select n, 1, n || '@x', 1 from generate_series(101, 5000) n").await.unwrap();
    database
}

async fn text(database: &Database, sql: &str) -> String {
    database.text(sql).await.unwrap()
}

const DISTINCT: &str = "select count(*) || ' ' || count(token) || ' ' || count(distinct token) from orders";

#[tokio::test]
async fn every_row_has_a_value_of_its_own_and_what_is_set_stays() {
    for server in servers() {
        let chain = chain_of(TOKEN);
        let database = large(server, chain).await;
        let migrator = meddled(
            &database,
            2,
            "update orders set token = '00000000-0000-0000-0000-000000000007' where id = 7; \
             update orders set amount = 9 where id = 8; insert into orders (id) values (9000)",
        );
        let summary = migrator.up(chain, None).await.unwrap();
        assert_eq!(text(&database, DISTINCT).await, "5001 5001 5001");
        let set = "select token::text || ' ' || (select amount from orders where id = 8) from orders where id = 7";
        assert_eq!(text(&database, set).await, "00000000-0000-0000-0000-000000000007 9");
        let evidence = &summary.revisions[0].operations[0].evidence;
        // the end is looked for after new rows have the default
        assert!(evidence.contains("; 4999 of 5001 rows changed in "), "{evidence}");
        let journal = "select evidence || ' ' || (select count(*) from _migrate.backfills) from _migrate.latest where revision = 'bbb222'";
        assert_eq!(text(&database, journal).await, format!("{evidence} 0"));
    }
}

#[tokio::test]
async fn a_migrator_that_is_gone_between_two_batches_is_gone_on_from() {
    for (server, statement) in servers().iter().flat_map(|server| [(server, TOKEN), (server, NEVER_NULL)]) {
        let chain = chain_of(statement);
        let plain = large(server, chain).await;
        migrator(plain.url(), u64::MAX).0.up(chain, None).await.unwrap();
        let database = large(server, chain).await;
        let before = database.dump().await;
        dies_after_batches(&database, chain, 1).await;
        let first = "select string_agg(token::text, ',' order by id) from orders where id <= 1000";
        let filled = text(&database, first).await;
        assert_eq!(text(&database, DISTINCT).await, "5000 1000 1000");
        let resumed = Arc::new(Mutex::new(Vec::new()));
        let hears = Arc::clone(&resumed);
        let observer: Observer = Arc::new(move |event: &Event| {
            if let Event::Backfill(progress) = event {
                hears.lock().unwrap().push((progress.passed, progress.resumed));
            }
        });
        let next = Migrator::new(database.url()).unwrap();
        let next = next.with_options(Options { large_table: u64::MAX, observer: Some(observer), ..Options::default() });
        next.up(chain, None).await.unwrap();
        assert_eq!(resumed.lock().unwrap().first(), Some(&(1000, true)), "it goes on behind what is done");
        assert_eq!(text(&database, DISTINCT).await, "5000 5000 5000");
        assert_eq!(text(&database, first).await, filled, "nothing is done twice");
        assert_eq!(database.dump().await, plain.dump().await);
        next.down(chain, &DownTo::Steps(1)).await.unwrap();
        assert_eq!(database.dump().await, before);
    }
}

#[tokio::test]
async fn a_half_filled_column_is_taken_back_and_begun_anew() {
    let chain = chain_of(NEVER_NULL);
    let database = large(server(), chain).await;
    let before = database.dump().await;
    dies_after_batches(&database, chain, 1).await;
    migrator(database.url(), 0).0.down(chain, &DownTo::Steps(1)).await.unwrap();
    assert_eq!(database.dump().await, before);
    assert_eq!(text(&database, "select count(*)::text from _migrate.backfills").await, "0");
    migrator(database.url(), 0).0.up(chain, None).await.unwrap();
    assert_eq!(text(&database, DISTINCT).await, "5000 5000 5000");
}

#[tokio::test]
async fn a_half_filled_column_that_somebody_has_dropped_is_begun_anew() {
    let chain = chain_of(TOKEN);
    let database = large(server(), chain).await;
    dies_after_batches(&database, chain, 1).await;
    database.execute("alter table orders drop column token").await.unwrap();
    migrator(database.url(), 0).0.up(chain, None).await.unwrap();
    assert_eq!(text(&database, DISTINCT).await, "5000 5000 5000");
}

#[tokio::test]
async fn a_table_that_is_another_one_meanwhile_is_filled_from_its_first_row() {
    let chain = chain_of(NEVER_NULL);
    let database = large(server(), chain).await;
    dies_after_batches(&database, chain, 1).await;
    let replaced = "create table again (like orders including all); insert into again select id, person_id, email, amount from orders; \
                    update again set token = null; drop table orders; alter table again rename to orders; \
                    alter index again_pkey rename to orders_pkey";
    database.execute(replaced).await.unwrap();
    migrator(database.url(), 0).0.up(chain, None).await.unwrap();
    assert_eq!(text(&database, DISTINCT).await, "5000 5000 5000");
}

#[tokio::test]
async fn a_column_that_somebody_else_has_filled_is_only_finished() {
    for server in servers() {
        let chain = chain_of(NEVER_NULL);
        let (plain, database) = (large(server, chain).await, large(server, chain).await);
        migrator(plain.url(), u64::MAX).0.up(chain, None).await.unwrap();
        dies_after_batches(&database, chain, 1).await;
        let by_hand = "update orders set token = default where token is null; alter table orders alter column token set not null";
        database.execute(by_hand).await.unwrap();
        let (next, told) = migrator(database.url(), u64::MAX);
        next.up(chain, None).await.unwrap();
        assert_eq!(*told.lock().unwrap(), ["comment on column public.orders.token is null"]);
        assert_eq!((state(&database).await, database.dump().await), (state(&plain).await, plain.dump().await));
        assert_eq!(text(&database, "select count(*)::text from _migrate.backfills").await, "0");
    }
}

#[tokio::test]
async fn rows_that_leave_the_batches_behind_are_never_null_all_the_same() {
    let chain = chain_of(NEVER_NULL);
    let database = filled(server(), chain).await;
    // an old row goes behind the last one as soon as that is known, and an application says null
    let migrator = meddled(&database, 3, "update orders set token = null where id in (5, 6)");
    migrator.up(chain, None).await.unwrap();
    assert_eq!(text(&database, DISTINCT).await, "100 100 100");
}

#[tokio::test]
async fn a_default_that_fails_leaves_nothing_behind() {
    let text_of = format!(
        "=== aaa111 m1\n{}\ncreate function pick() returns int language plpgsql as $$ begin \
         if current_setting('test.code', true) <> '' then raise exception 'no more' using errcode = current_setting('test.code'); end if; \
         return 1; end $$;\n\
         === bbb222 m2 after aaa111\nalter table orders add column code int default public.pick();\n",
        super::base()
    );
    // the second says that something is missing, and the column is there: it is no more done for that
    for code in ["22012", "42P01"] {
        let chain = chain(&text_of);
        let database = filled(server(), chain).await;
        let before = database.dump().await;
        database.execute(&format!("alter database {} set test.code = '{code}'", database.name())).await.unwrap();
        let error = migrator(database.url(), 0).0.up(chain, None).await.unwrap_err();
        assert_eq!(error.sqlstate().as_deref(), Some(code), "{error}");
        assert_eq!(database.dump().await, before, "{code}");
        assert_eq!(text(&database, "select count(*)::text from _migrate.backfills").await, "0");
        database.execute(&format!("alter database {} reset test.code", database.name())).await.unwrap();
        migrator(database.url(), 0).0.up(chain, None).await.unwrap();
        assert_eq!(text(&database, "select count(code)::text from orders").await, "100");
    }
}

#[tokio::test]
async fn what_is_filled_stays_where_somebody_cancels_a_batch() {
    let chain = chain_of(TOKEN);
    let database = large(server(), chain).await;
    let url = database.url().to_owned();
    let seen = AtomicUsize::new(0);
    // from the second batch on, the rows are somebody else's
    let (keeps, kept) = std::sync::mpsc::channel::<()>();
    let (locks, kept) = (Mutex::new(None), Mutex::new(Some(kept)));
    let observer: Observer = Arc::new(move |event: &Event| {
        if matches!(event, Event::Backfill(progress) if progress.batches == 1) && seen.fetch_add(1, Ordering::Relaxed) == 0 {
            let (url, kept) = (url.clone(), kept.lock().unwrap().take().unwrap());
            let (locked, waits) = std::sync::mpsc::channel();
            *locks.lock().unwrap() = Some(std::thread::spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                runtime.block_on(async {
                    let mut connection = sqlx::PgConnection::connect(&url).await.unwrap();
                    run(&mut connection, "begin; select id from orders where id = 1500 for update").await;
                    locked.send(()).unwrap();
                    // an error: nobody keeps it any longer
                    let _ = kept.recv();
                    run(&mut connection, "commit").await;
                });
            }));
            waits.recv().unwrap();
        }
    });
    let options = Options { large_table: 0, lock_timeout: Duration::from_mins(1), observer: Some(observer), ..Options::default() };
    let stopped = Migrator::new(database.url()).unwrap().with_options(options);
    let (result, ()) = tokio::join!(stopped.up(chain, None), async {
        super::blocking::until_it_waits(&database, "update only public.orders").await;
        // readers and writers of other rows don't wait
        let mut application = database.connect().await;
        run(&mut application, "set lock_timeout = '200ms'; select count(*) from orders; update orders set amount = 2 where id = 7").await;
        run(&mut application, "delete from orders where id = 3; insert into orders (id) values (9000)").await;
        let modes = "select string_agg(distinct mode, ' ') from pg_locks where relation = 'orders'::regclass and locktype = 'relation' \
                     and pid in (select pid from pg_stat_activity where query like '%update only%' and pid <> pg_backend_pid())";
        assert_eq!(text(&database, modes).await, "RowExclusiveLock");
        let cancel = "select count(pg_cancel_backend(pid))::text from pg_stat_activity where query like '%update only%' \
                      and wait_event_type = 'Lock' and datname = current_database()";
        assert_eq!(text(&database, cancel).await, "1");
    });
    let error = result.unwrap_err();
    assert_eq!(error.sqlstate().as_deref(), Some("57014"), "{error}");
    assert_eq!(error.now().as_deref(), Some("the phases before it hold, and the next `up` goes on from there"));
    drop(keeps);
    let (next, told) = migrator(database.url(), u64::MAX);
    next.up(chain, None).await.unwrap();
    assert_eq!(told.lock().unwrap().len(), 2, "{told:?}");
    assert_eq!(text(&database, DISTINCT).await, "5000 5000 5000");
}

#[tokio::test]
async fn vacuum_is_waited_for_longer_than_readers_would_have_to_wait() {
    let chain = chain_of(NEVER_NULL);
    let database = filled(server(), chain).await;
    let url = database.url().to_owned();
    let told = Arc::new(Mutex::new(Vec::new()));
    let hears = Arc::clone(&told);
    let observer: Observer = Arc::new(move |event: &Event| {
        if matches!(event, Event::Phase { phase: 6, .. }) {
            let (url, (locked, waits)) = (url.clone(), std::sync::mpsc::channel());
            std::thread::spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                runtime.block_on(async {
                    let mut connection = sqlx::PgConnection::connect(&url).await.unwrap();
                    run(&mut connection, "begin; lock table orders in share update exclusive mode").await;
                    locked.send(()).unwrap();
                    tokio::time::sleep(Duration::from_millis(1200)).await;
                    run(&mut connection, "set lock_timeout = '50ms'; update orders set amount = 3 where id = 3; commit").await;
                });
            });
            waits.recv().unwrap();
        }
        if let Event::RetryingPhase { reason, .. } = event {
            hears.lock().unwrap().push(reason.clone());
        }
    });
    let options = Options { large_table: 0, lock_timeout: Duration::from_millis(100), observer: Some(observer), ..Options::default() };
    Migrator::new(database.url()).unwrap().with_options(options).up(chain, None).await.unwrap();
    assert_eq!(*told.lock().unwrap(), [""; 0]);
}
