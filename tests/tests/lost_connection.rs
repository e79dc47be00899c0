//! The connection breaks at any moment: what became of the migration is found out, and told as it is.
#![expect(clippy::unwrap_used, reason = "a test that can't go on has failed")]

use migrate_runtime::{Database as Migrator, DownTo, Error, Event, Migrations, Options};
use migrate_tests::binaries::ServerBinaries;
use migrate_tests::chain::chain;
use migrate_tests::proxy::{Cut, Proxy};
use migrate_tests::{Database, Server, server};
use sqlx::Connection as _;
use std::sync::{Arc, Mutex};
use std::time::Duration;

const CHAIN: &str = "=== aaa111 m1\ncreate table first (id int primary key);\n\
                     === bbb222 m2 after aaa111\ncreate table second (id int primary key);\ncreate index second_idx on second (id);\n\
                     === ccc333 m3 after bbb222\ncreate table third (id int primary key);\n";
const TABLES: &str = "select coalesce(string_agg(relname, ' ' order by relname), '') from pg_class \
                      where relnamespace = 'public'::regnamespace and relkind = 'r'";
const RECORDED: &str = "select coalesce(string_agg(revision, ' ' order by revision), '') from _migrate.revisions where state = 'applied'";

/// What was told of reconnecting.
type Told = Arc<Mutex<Vec<String>>>;

fn migrator(url: &str, reconnect_wait: Duration) -> (Migrator, Told) {
    let told = Told::default();
    let hears = Arc::clone(&told);
    let observer = Arc::new(move |event: &Event| {
        if let Event::Reconnecting { reason } = event {
            hears.lock().unwrap().push(reason.clone());
        }
    });
    let options = Options { reconnect_wait, observer: Some(observer), ..Options::default() };
    (Migrator::new(url).unwrap().with_options(options), told)
}

fn up_chain() -> Migrations {
    chain(CHAIN)
}

/// The `now: …` of a connection that was lost.
fn now_of(error: &Error) -> String {
    assert!(matches!(error, Error::ConnectionLost { .. }), "{error}");
    error.now().unwrap()
}

#[tokio::test]
async fn what_a_cut_leaves_is_told_as_it_is_and_the_next_up_goes_on() {
    let (mut committed, mut rolled_back) = (0, 0);
    for cut in (1..).flat_map(|n| [Cut::BeforeRequest(n), Cut::BeforeReply(n)]) {
        let database = Database::create(server()).await;
        let proxy = Proxy::start(server(), Duration::ZERO).unwrap();
        let (migrator, told) = migrator(&proxy.url(database.url()), Duration::from_secs(10));
        proxy.cut_at(cut);
        let result = migrator.up(up_chain(), None).await;
        if proxy.has_planned_cut() {
            // all round trips of a whole run were tried
            result.unwrap();
            break;
        }
        let reconnected = !told.lock().unwrap().is_empty();
        match result {
            Ok(summary) => {
                committed += usize::from(reconnected);
                let names: Vec<&str> = summary.revisions.iter().map(|report| report.name.as_str()).collect();
                assert_eq!(names, ["m1", "m2", "m3"], "{cut:?}");
                assert!(
                    summary.revisions.iter().all(|report| report.operations.len() == if report.name == "m2" { 2 } else { 1 }),
                    "{cut:?}"
                );
                assert_eq!(database.text(TABLES).await.unwrap(), "first second third", "{cut:?}");
            }
            Err(error) if reconnected => {
                rolled_back += 1;
                let now = now_of(&error);
                assert_eq!(now, "the migration was rolled back whole; the database is as it was before it", "{cut:?}");
                let recorded = database.text(RECORDED).await.unwrap();
                let tables = ["", "first", "first second", "first second third"][recorded.split_whitespace().count()];
                assert_eq!(database.text(TABLES).await.unwrap(), tables, "{cut:?}");
            }
            // before anything was under way
            Err(error) => assert!(matches!(error, Error::ConnectionLost { .. } | Error::Connect { .. }), "{cut:?}: {error}"),
        }
        let summary = migrator.up(up_chain(), None).await.unwrap();
        assert_eq!(summary.current[0].name, "m3", "{cut:?}");
        assert_eq!(database.text(TABLES).await.unwrap(), "first second third", "{cut:?}");
        let twice = "select count(*)::text from (select revision, number from _migrate.operations where outcome = 'applied' \
                     group by 1, 2 having count(*) > 1) as twice";
        assert_eq!(database.text(twice).await.unwrap(), "0", "{cut:?}");
    }
    assert!(committed > 0 && rolled_back > 0, "{committed} commits and {rolled_back} rollbacks were found out about");
}

#[tokio::test]
async fn a_down_whose_commit_was_not_answered_is_found_to_be_done() {
    let mut committed = 0;
    for n in 1.. {
        let database = Database::create(server()).await;
        Migrator::new(database.url()).unwrap().up(up_chain(), None).await.unwrap();
        let proxy = Proxy::start(server(), Duration::ZERO).unwrap();
        let (migrator, told) = migrator(&proxy.url(database.url()), Duration::from_secs(10));
        proxy.cut_at(Cut::BeforeReply(n));
        let result = migrator.down(up_chain(), &DownTo::Steps(1)).await;
        if proxy.has_planned_cut() {
            result.unwrap();
            break;
        }
        let tables = database.text(TABLES).await.unwrap();
        match result {
            Ok(summary) => {
                committed += usize::from(!told.lock().unwrap().is_empty());
                assert_eq!((summary.revisions[0].name.as_str(), summary.revisions.len(), tables.as_str()), ("m3", 1, "first second"));
            }
            Err(_) => assert_eq!(tables, "first second third", "after {n}"),
        }
    }
    assert!(committed > 0);
}

#[tokio::test]
async fn a_step_whose_session_is_ended_is_named_and_not_tried_again() {
    let database = Database::create(server()).await;
    let text = "=== aaa111 m1\ncreate table first (id int primary key);\nselect pg_sleep(60);\n";
    let (migrator, told) = migrator(database.url(), Duration::from_secs(10));
    let (result, ()) = tokio::join!(migrator.up(chain(text), None), async {
        let end = "select count(pg_terminate_backend(pid))::text from pg_stat_activity where wait_event = 'PgSleep' and datname = current_database()";
        while database.text(end).await.unwrap() == "0" {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    let error = result.unwrap_err();
    assert_eq!(now_of(&error), "the migration was rolled back whole; the database is as it was before it");
    assert_eq!(error.place().unwrap().number, 2, "{error}");
    assert_eq!(told.lock().unwrap().len(), 1);
    assert_eq!(database.text(TABLES).await.unwrap(), "");
    let journalled = "select string_agg(number || ' ' || outcome || ' ' || evidence, ';') from _migrate.operations";
    let journalled = database.text(journalled).await.unwrap();
    assert_eq!(journalled, "2 failed terminating connection due to administrator command");
}

#[tokio::test]
async fn a_server_that_stays_away_leaves_the_question_open() {
    let database = Database::create(server()).await;
    let proxy = Proxy::start(server(), Duration::ZERO).unwrap();
    let (migrator, told) = migrator(&proxy.url(database.url()), Duration::from_millis(300));
    let text = "=== aaa111 m1\ncreate table first (id int primary key);\nselect pg_sleep(60);\n";
    let (result, ()) = tokio::join!(migrator.up(chain(text), None), async {
        let sleeps = "select count(*)::text from pg_stat_activity where wait_event = 'PgSleep' and datname = current_database()";
        while database.text(sleeps).await.unwrap() == "0" {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        proxy.refuse_connections(true);
        proxy.cut();
    });
    let now = now_of(&result.unwrap_err());
    assert!(now.starts_with("whether its last transaction was committed is for the journal to say: can't connect to "), "{now}");
    assert_eq!(told.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn what_earlier_segments_have_committed_is_counted() {
    let database = Database::create(server()).await;
    let text =
        "=== aaa111 m1\ncreate table first (id int primary key);\ninsert into first values (1);\nvacuum first;\nselect pg_sleep(60);\n";
    let (migrator, _) = migrator(database.url(), Duration::from_secs(10));
    let (result, ()) = tokio::join!(migrator.up(chain(text), None), async {
        let end = "select count(pg_terminate_backend(pid))::text from pg_stat_activity where wait_event = 'PgSleep' \
                   and datname = current_database()";
        while database.text(end).await.unwrap() == "0" {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    let now = now_of(&result.unwrap_err());
    assert_eq!(now, "3 of its operations were done and committed before; the rest was rolled back");
    assert_eq!(database.text("select count(*)::text from first").await.unwrap(), "1");
}

/// A chain whose only migration sleeps, and what waits until it does.
const SLEEPER: &str = "=== aaa111 m1\ncreate table first (id int primary key);\nselect pg_sleep(60);\n";

async fn until_it_sleeps(database: &Database) {
    let sleeps = "select count(*)::text from pg_stat_activity where wait_event = 'PgSleep' and datname = current_database()";
    while database.text(sleeps).await.unwrap() == "0" {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn an_address_where_nobody_answers_any_more_is_given_up() {
    let database = Database::create(server()).await;
    let proxy = Proxy::start(server(), Duration::ZERO).unwrap();
    let address = proxy.address();
    let (migrator, _) = migrator(&proxy.url(database.url()), Duration::from_millis(500));
    let began = std::time::Instant::now();
    let (result, _silent) = tokio::join!(migrator.up(chain(SLEEPER), None), async {
        until_it_sleeps(&database).await;
        drop(proxy);
        // connections are taken, and nothing is ever said on them
        std::net::TcpListener::bind(address).unwrap()
    });
    let now = now_of(&result.unwrap_err());
    assert!(now.starts_with("whether its last transaction was committed is for the journal to say: can't connect to "), "{now}");
    assert!(began.elapsed() < Duration::from_secs(30), "{:?}", began.elapsed());
}

#[tokio::test]
async fn another_cluster_at_the_same_address_is_refused() {
    let (one, other) =
        (Server::start_from(&ServerBinaries::find().unwrap()).unwrap(), Server::start_from(&ServerBinaries::find().unwrap()).unwrap());
    let database = Database::create(&one).await;
    let mut elsewhere = sqlx::PgConnection::connect(other.url()).await.unwrap();
    sqlx::raw_sql(sqlx::AssertSqlSafe(format!("create database {}", database.name()))).execute(&mut elsewhere).await.unwrap();
    let proxy = Proxy::start(&one, Duration::ZERO).unwrap();
    let address = proxy.address();
    let (migrator, _) = migrator(&proxy.url(database.url()), Duration::from_secs(10));
    let (result, _proxy) = tokio::join!(migrator.up(chain(SLEEPER), None), async {
        until_it_sleeps(&database).await;
        drop(proxy);
        let (host, port) = other.address();
        Proxy::listen(address.port(), format!("{host}:{port}").parse().unwrap(), Duration::ZERO).unwrap()
    });
    let now = now_of(&result.unwrap_err());
    assert!(now.contains("another cluster of databases answers there now, with the system identifier "), "{now}");
}

#[tokio::test]
async fn a_standby_is_waited_for_until_it_takes_over() {
    let own = Server::start_from(&ServerBinaries::find().unwrap()).unwrap();
    let database = Database::create(&own).await;
    let (migrator, _) = migrator(database.url(), Duration::from_mins(1));
    let (result, ()) = tokio::join!(migrator.up(chain(SLEEPER), None), async {
        until_it_sleeps(&database).await;
        own.crash().unwrap();
        let signal = own.directory().unwrap().join("data/standby.signal");
        std::fs::write(&signal, "").unwrap();
        own.start_again().unwrap();
        // long enough for it to be asked while it is a standby
        tokio::time::sleep(Duration::from_secs(2)).await;
        assert_eq!(database.text("select pg_is_in_recovery()::text").await.unwrap(), "true");
        assert_eq!(database.text("select pg_promote()::text").await.unwrap(), "true");
    });
    assert_eq!(now_of(&result.unwrap_err()), "the migration was rolled back whole; the database is as it was before it");
    let failed = "select string_agg(outcome || ' on timeline ' || timeline, ', ') from _migrate.log";
    assert_eq!(database.text(failed).await.unwrap(), "failed on timeline 2");
}
