use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use migrate_tests::proxy::{Cut, Proxy};
use migrate_tests::{Database, server};
use rustix::process::{Pid, Signal, kill_process};
use sqlx::postgres::PgConnection;
use sqlx::{Connection, Executor};

const NO_DELAY: Duration = Duration::ZERO;

/// A database, the network before it, and a connection through that.
async fn connected(one_way: Duration) -> (Database, Proxy, PgConnection) {
    let database = Database::create(server()).await;
    let proxy = Proxy::start(server(), one_way).unwrap();
    let connection = PgConnection::connect(&proxy.url(database.url())).await.unwrap();
    (database, proxy, connection)
}

async fn count(database: &Database, table: &str) -> String {
    database.text(&format!("select count(*)::text from {table}")).await.unwrap()
}

#[tokio::test]
async fn round_trips_are_counted() {
    let (_database, proxy, mut connection) = connected(NO_DELAY).await;
    assert_eq!(proxy.counters().connections, 1);
    proxy.reset_counters();
    for _ in 0..10 {
        connection.execute(sqlx::raw_sql("select 1")).await.unwrap();
    }
    let counters = proxy.counters();
    assert_eq!((counters.round_trips, counters.query, counters.ready, counters.complete), (10, 10, 10, 10));
    connection.execute(sqlx::raw_sql("select 1 / 0")).await.unwrap_err();
    assert_eq!(proxy.counters().errors, 1);
}

#[tokio::test]
async fn statements_sent_together_are_one_round_trip() {
    let (_database, proxy, mut connection) = connected(NO_DELAY).await;
    proxy.reset_counters();
    let script = "select 1;".repeat(500);
    connection.execute(sqlx::raw_sql(sqlx::AssertSqlSafe(script))).await.unwrap();
    let counters = proxy.counters();
    assert_eq!((counters.round_trips, counters.complete), (1, 500));
    connection.close().await.unwrap();
    assert_eq!(proxy.counters().round_trips, 1, "saying goodbye is not one");
}

#[tokio::test]
async fn a_large_result_is_one_round_trip() {
    let (_database, proxy, mut connection) = connected(Duration::from_millis(2)).await;
    proxy.reset_counters();
    let rows = connection.fetch_all(sqlx::raw_sql("select repeat('x', 1000) from generate_series(1, 5000)")).await;
    assert_eq!(rows.unwrap().len(), 5000);
    let counters = proxy.counters();
    assert_eq!(counters.round_trips, 1);
    assert!(counters.bytes_to_client > 5_000_000, "{counters:?}");
}

#[tokio::test]
async fn the_delay_is_that_of_the_distance() {
    let one_way = Duration::from_millis(10);
    let (_database, _proxy, mut connection) = connected(one_way).await;
    let started = Instant::now();
    for _ in 0..10 {
        connection.execute(sqlx::raw_sql("select 1")).await.unwrap();
    }
    let elapsed = started.elapsed();
    assert!(elapsed >= one_way * 20, "{elapsed:?}");
    // Other tests use the processors as well: only a delay that is taken twice is sure to be wrong.
    assert!(elapsed < one_way * 40, "{elapsed:?}");

    let started = Instant::now();
    connection.execute(sqlx::raw_sql(sqlx::AssertSqlSafe("select 1;".repeat(1000)))).await.unwrap();
    assert!(started.elapsed() < one_way * 20, "bytes sent together are not delayed one by one");
}

#[tokio::test]
async fn a_cut_breaks_what_is_open_and_nothing_else() {
    let (database, proxy, mut connection) = connected(NO_DELAY).await;
    connection.execute(sqlx::raw_sql("create table a (id integer)")).await.unwrap();
    connection.execute(sqlx::raw_sql("begin; insert into a values (1)")).await.unwrap();
    proxy.cut();
    let error = connection.execute(sqlx::raw_sql("commit")).await.unwrap_err();
    assert!(matches!(error, sqlx::Error::Io(_)), "{error:?}");
    assert_eq!(count(&database, "a").await, "0");

    let mut again = PgConnection::connect(&proxy.url(database.url())).await.unwrap();
    again.ping().await.unwrap();
}

#[tokio::test]
async fn a_cut_before_the_request_prevents_it() {
    let (database, proxy, mut connection) = connected(NO_DELAY).await;
    connection.execute(sqlx::raw_sql("create table a (id integer)")).await.unwrap();
    proxy.cut_at(Cut::BeforeRequest(3));
    for _ in 0..2 {
        connection.execute(sqlx::raw_sql("insert into a values (1)")).await.unwrap();
    }
    assert!(proxy.has_planned_cut());
    let error = connection.execute(sqlx::raw_sql("insert into a values (1)")).await.unwrap_err();
    assert!(matches!(error, sqlx::Error::Io(_)), "{error:?}");
    assert!(!proxy.has_planned_cut());
    assert_eq!(count(&database, "a").await, "2");
}

#[tokio::test]
async fn a_cut_before_the_reply_leaves_the_client_in_doubt() {
    let (database, proxy, mut connection) = connected(Duration::from_millis(1)).await;
    connection.execute(sqlx::raw_sql("create table a (id integer)")).await.unwrap();
    proxy.cut_at(Cut::BeforeReply(2));
    connection.execute(sqlx::raw_sql("begin; insert into a values (1)")).await.unwrap();
    let error = connection.execute(sqlx::raw_sql("select pg_sleep(0.1); commit")).await.unwrap_err();
    assert!(matches!(error, sqlx::Error::Io(_)), "{error:?}");
    assert_eq!(count(&database, "a").await, "1", "the commit was carried out");
}

#[tokio::test]
async fn a_cut_after_the_request_leaves_the_server_at_work() {
    let (database, proxy, mut connection) = connected(NO_DELAY).await;
    connection.execute(sqlx::raw_sql("create table a (id integer)")).await.unwrap();
    proxy.cut_at(Cut::AfterRequest(2));
    connection.execute(sqlx::raw_sql("insert into a values (1)")).await.unwrap();
    // a message that takes more than one piece
    let filler = "-".repeat(1 << 18);
    let request = format!("begin; insert into a values (2); select pg_sleep(0.2); commit --{filler}");
    let error = connection.execute(sqlx::raw_sql(sqlx::AssertSqlSafe(request))).await.unwrap_err();
    assert!(matches!(error, sqlx::Error::Io(_)), "{error:?}");
    assert_eq!(count(&database, "a").await, "1", "the client knows before the server is done");
    while count(&database, "a").await != "2" {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn a_cut_can_fall_between_answers() {
    use futures_util::TryStreamExt as _;
    let (database, proxy, mut connection) = connected(NO_DELAY).await;
    connection.execute(sqlx::raw_sql("create table a (id integer)")).await.unwrap();
    proxy.cut_at(Cut::AfterAnswers(3));
    connection.execute(sqlx::raw_sql("insert into a values (1)")).await.unwrap();
    let four = "insert into a values (2); insert into a values (3); insert into a values (4); insert into a values (5)";
    let mut answers = sqlx::raw_sql(four).fetch_many(&mut connection);
    let mut heard = 0;
    let error = loop {
        match answers.try_next().await {
            Ok(answer) => heard += u32::from(answer.is_some()),
            Err(error) => break error,
        }
    };
    assert!(matches!(error, sqlx::Error::Io(_)), "{error:?}");
    assert_eq!(heard, 2);
    assert_eq!(count(&database, "a").await, "5", "the server has done it all");
}

#[tokio::test]
async fn a_cut_can_fall_into_a_message() {
    let (database, proxy, mut connection) = connected(NO_DELAY).await;
    connection.execute(sqlx::raw_sql("create table a (id integer)")).await.unwrap();
    proxy.reset_counters();
    proxy.cut_at(Cut::AfterBytes(20));
    connection.execute(sqlx::raw_sql("insert into a values (1)")).await.unwrap_err();
    assert_eq!(count(&database, "a").await, "0");
}

#[tokio::test]
async fn connections_can_be_refused() {
    let (database, proxy, mut connection) = connected(NO_DELAY).await;
    proxy.refuse_connections(true);
    PgConnection::connect(&proxy.url(database.url())).await.unwrap_err();
    connection.ping().await.unwrap();
    proxy.refuse_connections(false);
    PgConnection::connect(&proxy.url(database.url())).await.unwrap();
}

#[tokio::test]
async fn a_dropped_proxy_cuts_and_closes() {
    let (database, proxy, mut connection) = connected(NO_DELAY).await;
    let url = proxy.url(database.url());
    drop(proxy);
    connection.ping().await.unwrap_err();
    PgConnection::connect(&url).await.unwrap_err();
}

#[tokio::test]
async fn the_command_reports_what_went_through() {
    let database = Database::create(server()).await;
    let mut process = Command::new(env!("CARGO_BIN_EXE_delay-proxy"))
        .args(["0", &server().address().1.to_string(), "2000"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
    let first = lines.next().unwrap().unwrap();
    let mut url = url::Url::parse(database.url()).unwrap();
    url.set_port(Some(first.strip_prefix("PORT ").unwrap().parse().unwrap())).unwrap();

    let mut connection = PgConnection::connect(url.as_str()).await.unwrap();
    connection.execute(sqlx::raw_sql("select 1")).await.unwrap();
    kill_process(Pid::from_child(&process), Signal::TERM).unwrap();
    let report: serde_json::Value = serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
    assert!(process.wait().unwrap().success());
    assert_eq!(report["connections"], 1);
    assert!(report["query"].as_u64().unwrap() >= 1, "{report}");
    assert!(report["round_trips"].as_u64().unwrap() >= 2, "the start-up and the query: {report}");
}
