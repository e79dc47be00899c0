//! A database that somebody else is writing to, or reading.

use super::chain::{Draft, chain};
use super::database::{File, impatient, listening};
use migrate_runtime::{Error, Event, Migrations, Options};
use sqlx::{Connection as _, SqliteConnection};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

fn two() -> Migrations {
    chain(vec![Draft::new("a1", &[]).up("create table t (id bigint)"), Draft::new("b2", &["a1"]).up("create table u (id bigint)")])
}

async fn lock(file: &File, statement: &'static str) -> SqliteConnection {
    let mut connection = file.connect().await;
    sqlx::raw_sql(statement).execute(&mut connection).await.unwrap();
    connection
}

#[tokio::test]
async fn a_locked_database_is_waited_for_and_then_given_up() {
    for mode in ["delete", "wal"] {
        let file = File::new();
        file.execute(&format!("pragma journal_mode = {mode}; create table other (id integer)")).await;
        let holder = lock(&file, "begin immediate; insert into other values (1)").await;
        let (options, events) = listening(Options { guard_wait: Duration::from_millis(400), ..impatient() });
        let began = Instant::now();
        let error = file.database().with_options(options).up(two(), None).await.unwrap_err();
        assert!(began.elapsed() >= Duration::from_millis(400), "{mode}: {:?}", began.elapsed());
        assert_eq!(error.exit_code(), 6);
        let text = error.to_string();
        assert!(text.contains(&format!("is writing to {}", file.path().display())), "{text}");
        if cfg!(target_os = "linux") {
            assert!(text.contains(&format!("another connection of this process (pid {})", std::process::id())), "{mode}: {text}");
        }
        assert!(events.lock().unwrap().iter().any(|event| matches!(event, Event::WaitingForLock { .. })));
        holder.close().await.unwrap();
        file.up(two()).await.unwrap();
    }
}

#[tokio::test]
async fn a_lock_that_is_given_back_in_time_is_no_error() {
    let file = File::new();
    file.execute("create table other (id integer)").await;
    let holder = lock(&file, "begin immediate; insert into other values (1)").await;
    let release = async {
        tokio::time::sleep(Duration::from_millis(400)).await;
        holder.close().await.unwrap();
    };
    let (summary, ()) = tokio::join!(file.up(two()), release);
    assert_eq!(summary.unwrap().revisions.len(), 2);
}

/// Somebody takes the lock between two migrations: the second is tried again, and given up when the budget is spent.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lock_between_two_migrations_is_retried() {
    let file = File::new();
    let url = file.url();
    let held: Arc<Mutex<Option<SqliteConnection>>> = Arc::default();
    let keep = Arc::clone(&held);
    let handle = tokio::runtime::Handle::current();
    let observer = move |event: &Event| {
        if matches!(event, Event::Done(report) if report.revision == "a1") {
            let (url, handle) = (url.clone(), handle.clone());
            let connection = std::thread::scope(|scope| {
                let take = || {
                    handle.block_on(async {
                        let mut connection = SqliteConnection::connect(&url).await.unwrap();
                        sqlx::raw_sql("begin immediate").execute(&mut connection).await.unwrap();
                        connection
                    })
                };
                scope.spawn(take).join().unwrap()
            });
            *keep.lock().unwrap() = Some(connection);
        }
    };
    let options = Options { observer: Some(Arc::new(observer)), lock_budget: Duration::from_millis(600), ..impatient() };
    let error = file.database().with_options(options).up(two(), None).await.unwrap_err();
    let Error::Operation { sqlstate, now, help, place, .. } = &error else { panic!("{error:?}") };
    assert_eq!(sqlstate.as_deref(), Some("SQLITE_BUSY (5)"));
    assert_eq!(place.revision, "b2");
    assert!(!now.contains("in the journal"), "it couldn't be written there: {now}");
    assert!(help.contains("wait for the program") && !help.contains("pg_"), "{help}");
    let connection = held.lock().unwrap().take().unwrap();
    connection.close().await.unwrap();
    assert_eq!(file.status(two()).await.pending(), 1);
    file.up(two()).await.unwrap();
}

/// Without WAL, a commit has to wait for readers: the migration steps back, lets them finish, and is tried again.
#[tokio::test]
async fn a_reader_delays_the_commit() {
    let file = File::new();
    file.execute("create table other (id integer); insert into other values (1)").await;
    file.database().up(two(), Some("a1")).await.unwrap();
    let reader = lock(&file, "begin; select * from other").await;
    let (options, events) = listening(impatient());
    let database = file.database().with_options(options);
    let release = async {
        tokio::time::sleep(Duration::from_millis(900)).await;
        reader.close().await.unwrap();
    };
    let (summary, ()) = tokio::join!(database.up(two(), None), release);
    assert_eq!(summary.unwrap().revisions.len(), 1);
    let events = events.lock().unwrap();
    let steps_back = events.iter().filter(|event| matches!(event, Event::Retrying { .. } | Event::WaitingForLock { .. })).count();
    assert!(steps_back > 0, "{events:?}");
}

/// Without WAL, a writer whose changes don't fit into memory lets nobody read either.
#[tokio::test]
async fn an_exclusive_lock_is_waited_for_by_everybody() {
    let file = File::new();
    file.database().up(two(), Some("a1")).await.unwrap();
    let holder = lock(&file, "begin exclusive").await;
    let hasty = file.database().with_options(Options { guard_wait: Duration::from_millis(100), ..impatient() });
    for error in [hasty.status(two()).await.unwrap_err(), hasty.up(two(), None).await.unwrap_err()] {
        assert!(matches!(error, Error::Locked { .. }), "{error:?}");
    }
    let release = async {
        tokio::time::sleep(Duration::from_millis(1500)).await;
        holder.close().await.unwrap();
    };
    let database = file.database();
    let (status, summary, ()) = tokio::join!(database.status(two()), file.up(two()), release);
    assert_eq!(status.unwrap().revisions.len(), 2);
    assert_eq!(summary.unwrap().revisions.len(), 1);
}
