//! A statement of a phase that somebody or the server ends: what took long is not done twice, and what is in the way of the
//! next attempt goes.

use super::blocking::{run, until_it_waits};
use super::{KINDS, Kind, base, chain_of, filled, migrator, options, state};
use migrate_runtime::{Database as Migrator, DownTo, Event, Observer, Options};
use migrate_tests::chain::chain;
use migrate_tests::{Database, Server, server, servers};
use sqlx::Connection as _;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

const BUILD: &str = "create unique index concurrently";

/// All that is told.
fn hearing() -> (Options, Arc<Mutex<Vec<Event>>>) {
    let told = Arc::new(Mutex::new(Vec::new()));
    let hears = Arc::clone(&told);
    let observer: Observer = Arc::new(move |event: &Event| hears.lock().unwrap().push(event.clone()));
    (Options { large_table: u64::MAX, observer: Some(observer), ..Options::default() }, told)
}

async fn until_told(told: &Mutex<Vec<Event>>, is_it: impl Fn(&Event) -> bool) {
    while !told.lock().unwrap().iter().any(&is_it) {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// A migrator that is gone while the server builds, and waits for the snapshot of the session that is returned.
async fn gone_while_it_builds(server: &Server, kind: &Kind) -> (Database, sqlx::PgConnection) {
    let chain = chain_of(kind.statement);
    let database = filled(server, chain).await;
    let mut other = database.connect().await;
    run(&mut other, "begin isolation level repeatable read; select 1").await;
    let dying = migrator(database.url(), 0).0;
    let dying = tokio::spawn(async move { dying.up(chain, None).await });
    until_it_waits(&database, BUILD).await;
    dying.abort();
    assert!(dying.await.unwrap_err().is_cancelled());
    (database, other)
}

#[tokio::test]
async fn a_build_that_is_killed_with_its_migrator_is_begun_anew_however_large_the_table_is() {
    for server in servers() {
        for kind in KINDS.iter().filter(|kind| ["unique", "primary key"].contains(&kind.name)) {
            let chain = chain_of(kind.statement);
            let plain = filled(server, chain).await;
            let before = plain.dump().await;
            migrator(plain.url(), u64::MAX).0.up(chain, None).await.unwrap();
            let (database, mut other) = gone_while_it_builds(server, kind).await;
            let kill = format!(
                "select count(pg_terminate_backend(pid))::text from pg_stat_activity \
                 where query like '{BUILD}%' and datname = current_database()"
            );
            assert_eq!(database.text(&kill).await.unwrap(), "1");
            run(&mut other, "rollback").await;
            while database.text(&kill).await.unwrap() != "0" {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            let invalid = "select count(*)::text from pg_index where not indisvalid";
            assert_eq!(database.text(invalid).await.unwrap(), "1", "{}", kind.name);
            let (options, told) = hearing();
            let next = Migrator::new(database.url()).unwrap().with_options(options);
            next.up(chain, None).await.unwrap();
            assert!(told.lock().unwrap().iter().any(|event| matches!(event, Event::Leftover { .. })), "{}", kind.name);
            assert_eq!(state(&database).await, state(&plain).await, "{}", kind.name);
            assert_eq!(database.dump().await, plain.dump().await, "{}", kind.name);
            next.down(chain, &DownTo::Steps(1)).await.unwrap();
            assert_eq!(database.dump().await, before, "{}", kind.name);
        }
    }
}

#[tokio::test]
async fn a_build_that_goes_on_without_its_migrator_is_waited_for_and_used() {
    let kind = KINDS.iter().find(|kind| kind.name == "unique").unwrap();
    let chain = chain_of(kind.statement);
    let plain = filled(server(), chain).await;
    migrator(plain.url(), u64::MAX).0.up(chain, None).await.unwrap();
    let (database, mut other) = gone_while_it_builds(server(), kind).await;
    let index = "select oid::text from pg_class where relname = 'orders_email_amount_key'";
    let built = database.text(index).await.unwrap();
    let (options, told) = hearing();
    let next = Migrator::new(database.url()).unwrap().with_options(options);
    let (result, ()) = tokio::join!(next.up(chain, None), async {
        until_told(&told, |event| matches!(event, Event::WaitingForLock { .. })).await;
        run(&mut other, "rollback").await;
    });
    result.unwrap();
    assert_eq!(database.text(index).await.unwrap(), built, "nothing was dropped");
    assert_eq!(state(&database).await, state(&plain).await);
}

#[tokio::test]
async fn a_build_that_the_server_ends_for_a_deadlock_is_begun_anew() {
    let kind = KINDS.iter().find(|kind| kind.name == "unique").unwrap();
    let chain = chain_of(kind.statement);
    let database = filled(server(), chain).await;
    // the build looks for a deadlock once, and the other one never: the build is the one that is ended
    database.execute(&format!("alter database {} set deadlock_timeout = '2s'", database.name())).await.unwrap();
    let mut other = database.connect().await;
    run(&mut other, "set deadlock_timeout = '1h'; begin; insert into orders values (1000, 1, 'new@x', 1)").await;
    let (options, told) = hearing();
    let migrator = Migrator::new(database.url()).unwrap().with_options(Options { large_table: 0, ..options });
    let (result, ()) = tokio::join!(migrator.up(chain, None), async {
        until_it_waits(&database, BUILD).await;
        run(&mut other, "lock table orders in share update exclusive mode").await;
        run(&mut other, "commit").await;
    });
    result.unwrap();
    let state = state(&database).await;
    assert!(state.contains("orders_email_amount_key truetruefalse"), "{state}");
    let told = told.lock().unwrap();
    assert!(
        told.iter().any(|event| matches!(event, Event::RetryingPhase { reason, .. } if reason.contains("deadlock detected"))),
        "{told:?}"
    );
    assert!(told.iter().any(|event| matches!(event, Event::Leftover { .. })), "{told:?}");
}

/// Takes the lock of `vacuum` on `orders` right before a phase, and keeps it until the sender is dropped.
fn holds_up(url: &str, phase: &'static str) -> (Observer, Sender<()>) {
    let (keeps, kept) = channel::<()>();
    let (url, kept) = (url.to_owned(), Mutex::new(Some(kept)));
    let observer = Arc::new(move |event: &Event| {
        if let Event::Phase { sql, .. } = event
            && sql[0].contains(phase)
            && let Some(kept) = kept.lock().unwrap().take()
        {
            let (url, (locks, locked)) = (url.clone(), channel());
            std::thread::spawn(move || lock(&url, &locks, &kept));
            locked.recv().unwrap();
        }
    });
    (observer, keeps)
}

fn lock(url: &str, locks: &Sender<()>, kept: &Receiver<()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut connection = sqlx::PgConnection::connect(url).await.unwrap();
        run(&mut connection, "begin; lock table orders in share update exclusive mode").await;
        locks.send(()).unwrap();
        // an error: nobody keeps it any longer
        let _ = kept.recv();
        run(&mut connection, "commit").await;
    });
}

#[tokio::test]
async fn what_was_begun_stays_where_somebody_cancels_what_takes_long() {
    for name in ["set not null", "check", "foreign key"] {
        let kind = KINDS.iter().find(|kind| kind.name == name).unwrap();
        let chain = chain_of(kind.statement);
        let database = filled(server(), chain).await;
        let (observer, keeps) = holds_up(database.url(), "validate constraint");
        let (options, _) = options(0);
        let migrator = Migrator::new(database.url()).unwrap().with_options(Options { observer: Some(observer), ..options });
        let (result, ()) = tokio::join!(migrator.up(chain, None), async {
            until_it_waits(&database, "validate constraint").await;
            let cancel = "select count(pg_cancel_backend(pid))::text from pg_stat_activity where query like '%validate constraint%' \
                          and wait_event_type = 'Lock' and datname = current_database()";
            assert_eq!(database.text(cancel).await.unwrap(), "1");
        });
        let error = result.unwrap_err();
        assert_eq!(error.sqlstate().as_deref(), Some("57014"), "{name}: {error}");
        assert_eq!(error.now().as_deref(), Some("the phases before it hold, and the next `up` goes on from there"), "{name}");
        drop(keeps);
        finishes(&database, chain, kind.phases - 1).await;
    }
}

/// What is left is a number of phases, whatever the size of the table is.
async fn finishes(database: &Database, chain: migrate_runtime::Migrations, phases: usize) {
    let (next, told) = migrator(database.url(), u64::MAX);
    next.up(chain, None).await.unwrap();
    assert_eq!(told.lock().unwrap().len(), phases, "{told:?}");
    let state = state(database).await;
    assert!(!state.contains("_migrate_") && !state.contains(" false") && !state.contains("not validated"), "{state}");
}

#[tokio::test]
async fn what_was_begun_stays_where_the_server_has_no_room() {
    let text = format!(
        "=== aaa111 m1\n{}\ncreate function fits(amount int) returns boolean language plpgsql as $$ begin \
         if current_setting('test.code', true) <> '' then raise exception 'no room' using errcode = current_setting('test.code'); end if; \
         return amount > 0; end $$;\n\
         === bbb222 m2 after aaa111\nalter table orders add constraint orders_amount_check check (fits(amount));\n",
        base()
    );
    for (code, stays) in [("53100", true), ("53200", true), ("22012", false)] {
        let chain = chain(&text);
        let database = filled(server(), chain).await;
        let before = state(&database).await;
        database.execute(&format!("alter database {} set test.code = '{code}'", database.name())).await.unwrap();
        let error = migrator(database.url(), 0).0.up(chain, None).await.unwrap_err();
        assert_eq!(error.sqlstate().as_deref(), Some(code), "{error}");
        let goes_on = error.now().is_some_and(|now| now.starts_with("the phases before it hold"));
        assert_eq!(goes_on, stays, "{error:?}");
        database.execute(&format!("alter database {} reset test.code", database.name())).await.unwrap();
        if stays {
            assert!(state(&database).await.contains("orders_amount_check CHECK (fits(amount)) NOT VALID false"), "{code}");
            finishes(&database, chain, 1).await;
        } else {
            assert_eq!(state(&database).await, before, "{code}");
        }
    }
}
