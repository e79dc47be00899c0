//! A migrator is dead, and the server goes on with what it has sent last: the next one is there before that is done.

use crate::state::texts;
use crate::way::up;
use migrate_runtime::{Database as Migrator, DownTo, Error, Event, Options};
use migrate_tests::chain::chain;
use migrate_tests::proxy::Proxy;
use migrate_tests::{Database, server};
use sqlx::{Connection as _, Executor as _, PgConnection};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

const BASE: &str = "=== aaaaaaaaaaaa accounts
create table accounts (id integer primary key, balance integer not null);
insert into accounts values (1, 100);
";

const WAITING: &str = "select pid::text from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid() \
                      and application_name like 'migrate %' and state = 'active' and wait_event_type = 'Lock'";

async fn waiting(watcher: &mut PgConnection) -> usize {
    texts(watcher, WAITING).await.len()
}

/// Patience that ends after everything here, and an ear.
fn options(observer: impl Fn(&Event) + Send + Sync + 'static) -> Options {
    Options { lock_timeout: Duration::from_mins(1), observer: Some(Arc::new(observer)), ..Options::default() }
}

/// Lets a migrator send its work, which waits for somebody else, and die; then starts the next one, and lets the somebody
/// else go only when that one waits, too.
async fn survived(migration: &str, lock: &'static str) -> Database {
    let database = Database::create(server()).await;
    let chain = chain(&format!("{BASE}=== bbbbbbbbbbbb work after aaaaaaaaaaaa\n{migration}"));
    let url = database.url().to_owned();
    Migrator::new(&*url).unwrap().up(chain, Some("aaaaaaaaaaaa")).await.unwrap();
    let (mut reader, mut watcher) = (database.connect().await, database.connect().await);
    let mut transaction = reader.begin().await.unwrap();
    transaction.execute(lock).await.unwrap();
    let proxy = Proxy::start(server(), Duration::ZERO).unwrap();
    let first = Migrator::new(&*proxy.url(&url)).unwrap().with_options(options(|_| {}));
    let first = tokio::spawn(async move { first.up(chain, None).await });
    while waiting(&mut watcher).await == 0 {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    // it would come back if it could
    proxy.refuse_connections(true);
    proxy.cut();
    first.abort();
    // that it was aborted is the answer
    let _ = first.await;
    let heard = Arc::new(AtomicBool::new(false));
    let ear = Arc::clone(&heard);
    let next = options(move |event| {
        ear.fetch_or(matches!(event, Event::WaitingForLock { .. }), Ordering::SeqCst);
    });
    let next = Migrator::new(&*url).unwrap().with_options(next);
    let next = tokio::spawn(async move { next.up(chain, None).await });
    while waiting(&mut watcher).await < 2 && !heard.load(Ordering::SeqCst) && !next.is_finished() {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    transaction.rollback().await.unwrap();
    next.await.unwrap().unwrap();
    assert!(up(database.url(), chain).await.unwrap().revisions.is_empty());
    database
}

/// What became of the operations in the end: that they were begun, or broken off, is in the journal before that.
async fn journal(database: &Database) -> String {
    let sql = "select string_agg(number || ' ' || outcome, ', ' order by id) from _migrate.operations \
               where revision like 'b%' and outcome not in ('started', 'failed')";
    database.text(sql).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn data_is_not_changed_twice() {
    let work = "update accounts set balance = balance * 2;\ninsert into accounts values (2, 1);\n";
    let database = survived(work, "lock table accounts in share mode").await;
    let balances = database.text("select string_agg(balance::text, ' ' order by id) from accounts").await.unwrap();
    assert_eq!((balances.as_str(), journal(&database).await.as_str()), ("200 1", "1 applied, 2 applied"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_index_that_is_still_being_built_is_waited_for() {
    let database =
        survived("create index concurrently accounts_balance on accounts (balance);\n", "lock table accounts in row exclusive mode").await;
    assert_eq!(database.text("select count(*)::text from pg_index where not (indisvalid and indisready)").await.unwrap(), "0");
    assert_eq!(journal(&database).await, "1 applied");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_index_that_a_dead_migrator_has_half_built_is_dropped_on_the_way_back() {
    let database = Database::create(server()).await;
    let chain = chain(&format!(
        "{BASE}=== bbbbbbbbbbbb work after aaaaaaaaaaaa\ncreate table earlier (id int);\n\
         create index concurrently accounts_balance on accounts (balance);\ncreate table later (id int);\n"
    ));
    let url = database.url().to_owned();
    Migrator::new(&*url).unwrap().up(chain, Some("aaaaaaaaaaaa")).await.unwrap();
    let (mut reader, mut watcher) = (database.connect().await, database.connect().await);
    // it begins, and waits for whoever may have written something that it hasn't seen
    let building = "select count(*)::text from pg_stat_progress_create_index where datname = current_database() and phase like 'waiting%'";
    let mut transaction = reader.begin().await.unwrap();
    transaction.execute("insert into accounts values (2, 2)").await.unwrap();
    let first = Migrator::new(&*url).unwrap();
    let first = tokio::spawn(async move { first.up(chain, None).await });
    while texts(&mut watcher, building).await != ["1"] {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    first.abort();
    let _ = first.await;
    transaction
        .execute("select pg_terminate_backend(pid) from pg_stat_progress_create_index where datname = current_database()")
        .await
        .unwrap();
    transaction.commit().await.unwrap();
    while texts(&mut watcher, building).await != ["0"] {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    assert_eq!(database.text("select count(*)::text from pg_index where not indisvalid").await.unwrap(), "1");
    Migrator::new(&*url).unwrap().down(chain, &DownTo::Steps(1)).await.unwrap();
    let left = "select (select count(*) from pg_index where indrelid = 'accounts'::regclass) || ' ' || (to_regclass('earlier') is null)";
    assert_eq!(database.text(left).await.unwrap(), "1 true");
    up(&url, chain).await.unwrap();
    assert_eq!(database.text("select count(*)::text from pg_index where not indisvalid").await.unwrap(), "0");
    assert_eq!(journal(&database).await, "1 applied, 1 reverted, 2 reverted, 1 applied, 2 applied, 3 applied");
}

#[tokio::test]
async fn an_invalid_index_is_built_anew() {
    let database = Database::create(server()).await;
    let chain = chain(&format!(
        "{BASE}=== bbbbbbbbbbbb work after aaaaaaaaaaaa\ncreate unique index concurrently accounts_balance on accounts (balance);\n"
    ));
    let migrator = Migrator::new(database.url()).unwrap();
    migrator.up(chain, Some("aaaaaaaaaaaa")).await.unwrap();
    database.execute("insert into accounts values (2, 100)").await.unwrap();
    // the build finds the same value twice, and leaves what it has made
    database.execute("create unique index concurrently accounts_balance on accounts (balance)").await.unwrap_err();
    database.execute("update accounts set balance = 200 where id = 2").await.unwrap();
    let invalid = "select count(*)::text from pg_index where not (indisvalid and indisready)";
    assert_eq!(database.text(invalid).await.unwrap(), "1");
    migrator.up(chain, None).await.unwrap();
    assert_eq!(database.text(invalid).await.unwrap(), "0");
    assert_eq!(journal(&database).await, "1 applied");
}

#[tokio::test]
async fn a_detachment_that_was_interrupted_is_finished() {
    let database = Database::create(server()).await;
    if database.text("select (current_setting('server_version_num')::integer < 140000)::text").await.unwrap() == "true" {
        return;
    }
    let chain = chain(
        "=== aaaaaaaaaaaa events\ncreate table events (id integer) partition by list (id);\n\
         create table events_1 partition of events for values in (1);\ninsert into events values (1);\n\
         === bbbbbbbbbbbb work after aaaaaaaaaaaa\nalter table events detach partition events_1 concurrently;\n",
    );
    let migrator = Migrator::new(database.url()).unwrap();
    migrator.up(chain, Some("aaaaaaaaaaaa")).await.unwrap();
    let (mut reader, mut watcher) = (database.connect().await, database.connect().await);
    let mut transaction = reader.begin().await.unwrap();
    transaction.execute("select from events").await.unwrap();
    let url = database.url().to_owned();
    let interrupted = tokio::spawn(async move { Migrator::new(&*url).unwrap().up(chain, None).await });
    while waiting(&mut watcher).await == 0 {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    let end = format!("select pg_terminate_backend(pid::integer)::text from ({WAITING}) as waiting");
    assert_eq!(texts(&mut watcher, &end).await, ["true"]);
    transaction.rollback().await.unwrap();
    // whether it fails is its own affair
    let _ = interrupted.await.unwrap();
    up(database.url(), chain).await.unwrap();
    assert!(up(database.url(), chain).await.unwrap().revisions.is_empty());
    assert_eq!(database.text("select count(*)::text from pg_inherits").await.unwrap(), "0");
    assert_eq!(database.text("select count(*)::text from events_1").await.unwrap(), "1");
    assert_eq!(journal(&database).await, "1 applied");
}

#[tokio::test]
async fn without_its_guard_a_migrator_begins_nothing() {
    let database = Database::create(server()).await;
    let chain = chain(&format!(
        "{BASE}=== bbbbbbbbbbbb work after aaaaaaaaaaaa\nalter table accounts add column owner text;\n\
         === cccccccccccc more after bbbbbbbbbbbb\nalter table accounts add column note text;\n"
    ));
    let migrator = Migrator::new(database.url()).unwrap().with_options(options(|_| {}));
    migrator.up(chain, Some("aaaaaaaaaaaa")).await.unwrap();
    let (mut reader, mut watcher) = (database.connect().await, database.connect().await);
    let mut transaction = reader.begin().await.unwrap();
    transaction.execute("lock table accounts in access share mode").await.unwrap();
    let unguarded = tokio::spawn(async move { migrator.up(chain, None).await });
    while waiting(&mut watcher).await == 0 {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    let guard = "select pg_terminate_backend(pid)::text from pg_stat_activity where datname = current_database() \
                 and application_name like 'migrate %' and state = 'idle in transaction'";
    assert_eq!(texts(&mut watcher, guard).await, ["true"]);
    transaction.rollback().await.unwrap();
    // it may take another guard and go on
    if let Err(error) = unguarded.await.unwrap() {
        assert!(matches!(error, Error::ConnectionLost { .. }), "{error}");
    }
    up(database.url(), chain).await.unwrap();
    let runs = "select count(*) || ' ' || count(distinct run) from _migrate.operations where revision <> 'aaaaaaaaaaaa'";
    assert_eq!(database.text(runs).await.unwrap(), "2 2", "what came after it was done by another run");
}

#[tokio::test]
async fn a_way_back_that_has_failed_halfway_goes_on_from_there() {
    let database = Database::create(server()).await;
    let chain = chain(&format!(
        "{BASE}=== bbbbbbbbbbbb work after aaaaaaaaaaaa\nalter table accounts add column note text;\nalter table accounts add column owner text;\n\
         --- down\nupdate accounts set balance = balance * 2;\ncreate unique index concurrently accounts_balance on accounts (balance);\n\
         alter table accounts drop column note, drop column owner;\n"
    ));
    up(database.url(), chain).await.unwrap();
    database.execute("insert into accounts values (2, 100)").await.unwrap();
    let migrator = Migrator::new(database.url()).unwrap();
    let back = DownTo::Revision("aaaaaaaaaaaa".to_owned());
    migrator.down(chain, &back).await.unwrap_err();
    let refused = migrator.up(chain, None).await.unwrap_err();
    assert!(matches!(&refused, Error::History { problem, .. } if problem.contains("half reversed")), "{refused}");
    database.execute("delete from accounts where id = 2").await.unwrap();
    migrator.down(chain, &back).await.unwrap();
    assert_eq!(database.text("select string_agg(balance::text, ' ') from accounts").await.unwrap(), "200", "changed once");
    let reversed = "select string_agg(number || ' ' || outcome, ', ' order by id) from _migrate.operations \
                    where direction = 'down' and outcome not in ('started', 'failed')";
    assert_eq!(database.text(reversed).await.unwrap(), "1 reverted, 2 reverted, 3 reverted, 4 reverted");
    assert_eq!(up(database.url(), chain).await.unwrap().revisions.len(), 1);
    assert_eq!(database.text("select count(note)::text || count(owner) from accounts").await.unwrap(), "00");
}

#[tokio::test]
async fn what_was_done_before_the_way_back_does_not_count_after_it() {
    let database = Database::create(server()).await;
    let chain = chain(&format!(
        "{BASE}=== bbbbbbbbbbbb work after aaaaaaaaaaaa\nalter table accounts add column note text;\n\
         create unique index concurrently accounts_balance on accounts (balance);\nalter table accounts add column owner text;\n\
         --- down\nalter table accounts drop column note, drop column owner;\n"
    ));
    up(database.url(), chain).await.unwrap();
    let migrator = Migrator::new(database.url()).unwrap();
    migrator.down(chain, &DownTo::Revision("aaaaaaaaaaaa".to_owned())).await.unwrap();
    database.execute("drop index accounts_balance; insert into accounts values (2, 100)").await.unwrap();
    // the first operation is committed, the second finds the same value twice
    migrator.up(chain, None).await.unwrap_err();
    database.execute("delete from accounts where id = 2").await.unwrap();
    migrator.up(chain, None).await.unwrap();
    assert_eq!(database.text("select count(note)::text || count(owner) from accounts").await.unwrap(), "00", "both columns are there");
}
