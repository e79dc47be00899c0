//! How long somebody waits for a lock: as long as the options say, in both journal modes, and no other limit ends it.

use super::chain::{Draft, chain};
use super::database::{File, impatient};
use migrate_runtime::{Error, Event, Migrations, Options};
use sqlx::{Connection as _, SqliteConnection};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

fn two() -> Migrations {
    chain(vec![Draft::new("a1", &[]).up("create table t (id bigint)"), Draft::new("b2", &["a1"]).up("create table u (id bigint)")])
}

async fn holding(file: &File, statement: &'static str) -> SqliteConnection {
    let mut connection = file.connect().await;
    sqlx::raw_sql(statement).execute(&mut connection).await.unwrap();
    connection
}

async fn prepared(mode: &str) -> File {
    let file = File::new();
    file.execute(&format!("pragma journal_mode = {mode}; create table other (id integer)")).await;
    file.database().up(two(), Some("a1")).await.unwrap();
    file
}

/// Five seconds is what the driver waits by itself.
#[tokio::test]
async fn an_exclusive_writer_is_outlasted_by_readers_and_replicas() {
    for mode in ["delete", "wal"] {
        let file = prepared(mode).await;
        let holder = holding(&file, "begin exclusive; insert into other values (1)").await;
        let release = async {
            tokio::time::sleep(Duration::from_millis(6500)).await;
            holder.close().await.unwrap();
        };
        let database = file.database();
        let began = Instant::now();
        let (status, plan, check, first, second, ()) = tokio::join!(
            database.status(two()),
            database.plan(two(), None),
            database.check(two()),
            file.up(two()),
            file.up(two()),
            release
        );
        assert_eq!(status.unwrap().revisions.len(), 2, "{mode}");
        assert_eq!((plan.is_ok(), check.is_ok()), (true, true), "{mode}");
        assert_eq!(first.unwrap().revisions.len() + second.unwrap().revisions.len(), 1, "{mode}");
        assert!(began.elapsed() > Duration::from_millis(6500));
        assert_eq!(file.status(two()).await.pending(), 0);
    }
}

#[tokio::test]
async fn a_wait_ends_when_the_options_say_so() {
    for mode in ["delete", "wal"] {
        let file = prepared(mode).await;
        let holder = holding(&file, "begin exclusive; insert into other values (1)").await;
        let wait = Duration::from_millis(300);
        let hasty = file.database().with_options(Options { guard_wait: wait, ..impatient() });
        let began = Instant::now();
        let error = hasty.up(two(), None).await.unwrap_err();
        let Error::Locked { waited, .. } = &error else { panic!("{mode}: {error:?}") };
        assert!(*waited >= wait, "{mode}: {waited:?}");
        assert!(began.elapsed() < wait + Duration::from_secs(2), "{mode}: {:?}", began.elapsed());
        if mode == "delete" {
            let began = Instant::now();
            let error = hasty.status(two()).await.unwrap_err();
            assert!(matches!(error, Error::Locked { .. }), "{error:?}");
            assert!(began.elapsed() >= wait && began.elapsed() < wait + Duration::from_secs(2), "{:?}", began.elapsed());
        } else {
            hasty.status(two()).await.unwrap();
        }
        holder.close().await.unwrap();
    }
}

/// The budget is spent whole: a pause that is longer than what is left is cut.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_budget_is_spent_before_a_migration_gives_up() {
    for mode in ["delete", "wal"] {
        let file = prepared(mode).await;
        let url = file.url();
        let held: Arc<Mutex<Option<SqliteConnection>>> = Arc::default();
        let keep = Arc::clone(&held);
        let handle = tokio::runtime::Handle::current();
        let statement = if mode == "wal" { "begin immediate" } else { "begin; select * from other" };
        let observer = move |event: &Event| {
            // the run itself is in the journal by now: what remains is the migration
            if matches!(event, Event::Revision { .. }) {
                let take = async {
                    let mut connection = SqliteConnection::connect(&url).await.unwrap();
                    sqlx::raw_sql(statement).execute(&mut connection).await.unwrap();
                    connection
                };
                let connection = std::thread::scope(|scope| scope.spawn(|| handle.block_on(take)).join().unwrap());
                *keep.lock().unwrap() = Some(connection);
            }
        };
        let budget = Duration::from_millis(1500);
        let lock_timeout = Duration::from_millis(50);
        let options = Options { lock_budget: budget, lock_timeout, observer: Some(Arc::new(observer)), ..impatient() };
        let database = file.database().with_options(options);
        let began = Instant::now();
        let error = database.up(two(), None).await.unwrap_err();
        let took = began.elapsed();
        assert_eq!(error.sqlstate().as_deref(), Some("SQLITE_BUSY (5)"), "{mode}: {error:?}");
        assert!(took >= budget, "{mode}: {took:?}");
        assert!(took < budget + Duration::from_secs(2), "{mode}: {took:?}");
        let holder = held.lock().unwrap().take().unwrap();
        holder.close().await.unwrap();
        file.up(two()).await.unwrap();
    }
}
