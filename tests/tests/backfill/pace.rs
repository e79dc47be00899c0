//! How fast it goes, and for whom it waits.

use crate::{Told, beginning, journal, story, up};
use migrate_runtime::Options;
use migrate_tests::binaries::ServerBinaries;
use migrate_tests::pgbouncer::PgBouncer;
use migrate_tests::proxy::Proxy;
use migrate_tests::standby::Standby;
use migrate_tests::{Database, Server, server};
use sqlx::{Connection as _, Executor as _};
use std::time::Duration;

const TABLE: &str = "create table documents (id int primary key, n int not null default 0)";

async fn filled(rows: u32) -> Database {
    let database = Database::create(server()).await;
    up(database.url(), &beginning(TABLE), Options::default()).await.unwrap();
    database.execute(&format!("insert into documents select generate_series(1, {rows})")).await.unwrap();
    database
}

async fn is_done_once(database: &Database) {
    assert_eq!(database.text("select concat_ws(' ', min(n), max(n)) from documents").await.unwrap(), "1 1");
    assert!(journal(database, "bbb222").await.starts_with("applied: "));
}

#[tokio::test]
async fn quick_batches_grow_to_twice_their_size() {
    let database = filled(5000).await;
    let told = Told::default();
    let options = Options { batch_target: Duration::from_secs(5), ..Options::default() };
    up(database.url(), &story(TABLE, "backfill update documents set n = n + 1 in batches of 10"), told.by(options)).await.unwrap();
    let sizes: Vec<u32> = told.progress().iter().map(|progress| progress.batch_size).collect();
    assert_eq!(sizes[..6], [10, 20, 40, 80, 160, 320], "{sizes:?}");
    is_done_once(&database).await;
}

#[tokio::test]
async fn slow_batches_shrink() {
    let database = filled(300).await;
    let slow = "create function slow() returns trigger language plpgsql as $$ begin perform pg_sleep(0.004); return new; end $$;
                create trigger slow before update on documents for each row execute function slow()";
    database.execute(slow).await.unwrap();
    let told = Told::default();
    let options = Options { batch_target: Duration::from_millis(100), ..Options::default() };
    up(database.url(), &story(TABLE, "backfill update documents set n = n + 1 in batches of 200"), told.by(options)).await.unwrap();
    let progress = told.progress();
    let sizes: Vec<u32> = progress.iter().map(|progress| progress.batch_size).collect();
    // 200 rows take 0.8 s at least, so a tenth of a second is for 25 at most
    assert!(sizes[1] <= 25, "{sizes:?}");
    assert!(progress.iter().skip(2).all(|progress| progress.took_ms.unwrap() < 500), "{progress:?}");
    is_done_once(&database).await;
}

#[tokio::test]
async fn a_long_way_to_the_server_is_no_reason_for_small_batches() {
    let database = filled(3000).await;
    let proxy = Proxy::start(server(), Duration::from_millis(100)).unwrap();
    let told = Told::default();
    let options = Options { batch_target: Duration::from_millis(100), ..Options::default() };
    let text = story(TABLE, "backfill update documents set n = n + 1 in batches of 300");
    up(&proxy.url(database.url()), &text, told.by(options)).await.unwrap();
    let sizes: Vec<u32> = told.progress().iter().map(|progress| progress.batch_size).collect();
    assert!(sizes.iter().max() > Some(&300), "{sizes:?}");
    is_done_once(&database).await;
}

#[tokio::test]
async fn a_row_that_somebody_else_has_is_waited_for_and_the_rest_goes_on() {
    let database = filled(200).await;
    let mut application = database.connect().await;
    let mut transaction = application.begin().await.unwrap();
    transaction.execute("select from documents where id = 150 for update").await.unwrap();
    let told = Told::default();
    let options = Options { lock_timeout: Duration::from_millis(100), batch_target: Duration::from_millis(20), ..Options::default() };
    let text = story(TABLE, "backfill update documents set n = n + 1 in batches of 40");
    let (result, ()) = tokio::join!(up(database.url(), &text, told.by(options)), async {
        while told.delays().len() < 3 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        // those before it are done and committed
        let passed: i32 = database.text("select rows_passed::text from _migrate.backfills").await.unwrap().parse().unwrap();
        assert!((1..150).contains(&passed), "{passed}");
        assert_eq!(database.text("select count(*)::text from documents where n = 1").await.unwrap(), passed.to_string());
        transaction.commit().await.unwrap();
    });
    result.unwrap();
    let delays = told.delays();
    // on a busy machine the statement may give up before anybody has looked
    let is_named = |reason: &String| reason.starts_with("canceling statement due to lock timeout; in the way: pid ");
    assert!(delays.iter().any(|reason| is_named(reason) && reason.contains("idle in transaction")), "{delays:?}");
    is_done_once(&database).await;
}

#[tokio::test]
async fn patience_with_a_lock_has_an_end_and_what_is_done_stays() {
    let database = filled(200).await;
    let mut application = database.connect().await;
    let mut transaction = application.begin().await.unwrap();
    transaction.execute("select from documents where id = 150 for update").await.unwrap();
    let options = Options { lock_timeout: Duration::from_millis(50), lock_budget: Duration::from_millis(600), ..Options::default() };
    let text = story(TABLE, "backfill update documents set n = n + 1 in batches of 10");
    let error = up(database.url(), &text, options).await.unwrap_err();
    assert_eq!(error.sqlstate().as_deref(), Some("55P03"));
    let done = database.text("select count(*)::text from documents where n = 1").await.unwrap();
    assert!(error.to_string().contains(&format!("; {done} rows in ")), "{done}: {error}");
    transaction.commit().await.unwrap();
    up(database.url(), &text, Options::default()).await.unwrap();
    is_done_once(&database).await;
}

#[tokio::test]
async fn behind_a_pooler_that_gives_sessions_for_a_transaction_only() {
    let database = filled(2000).await;
    let pooler = PgBouncer::start(server(), 5);
    let text = story(TABLE, "backfill update documents set n = n + 1 in batches of 100");
    up(&pooler.url(database.url()), &text, Options::default()).await.unwrap();
    is_done_once(&database).await;
    // nothing is left set in a session that somebody else gets
    let mut other = sqlx::PgConnection::connect(&pooler.url(database.url())).await.unwrap();
    let row = other.fetch_one("select current_setting('lock_timeout') || current_setting('search_path')").await.unwrap();
    assert_eq!(sqlx::Row::get::<String, _>(&row, 0), "0\"$user\", public");
}

#[tokio::test]
async fn a_network_that_forgets_who_is_silent_doesnt_take_the_guard_away() {
    let database = filled(22).await;
    // each batch is one row and takes a while
    database
        .execute(
            "create function linger() returns trigger language plpgsql as 'begin perform pg_sleep(0.8); return new; end';
             create trigger lingers before update on documents for each row execute function linger()",
        )
        .await
        .unwrap();
    let proxy = Proxy::start(server(), Duration::ZERO).unwrap();
    proxy.forget_after(Duration::from_secs(14));
    let told = Told::default();
    let text = story(TABLE, "backfill update documents set n = n + 1 in batches of 1");
    up(&proxy.url(database.url()), &text, told.by(Options { reconnect_wait: Duration::ZERO, ..Options::default() })).await.unwrap();
    is_done_once(&database).await;
    assert!(told.progress().len() > 20, "it was over before anybody could be forgotten");
}

#[tokio::test]
async fn a_standby_that_lags_behind_is_waited_for() {
    let binaries = ServerBinaries::find().unwrap();
    let own = Server::start_from(&binaries).unwrap();
    let standby = Standby::start(&own, &binaries, 1500);
    let database = Database::create(&own).await;
    up(database.url(), &beginning(TABLE), Options::default()).await.unwrap();
    database.execute("insert into documents select generate_series(1, 500)").await.unwrap();
    let lags = "select exists (select from pg_stat_replication where state = 'streaming' and replay_lag > interval '200 ms')::text";
    // it measures only what comes while it follows
    let beat = async || {
        database.execute("create table if not exists beat (n int); insert into beat values (1)").await.unwrap();
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    let lagging = async {
        while database.text(lags).await.unwrap() == "false" {
            beat().await;
        }
    };
    tokio::time::timeout(Duration::from_mins(1), lagging).await.unwrap();
    let told = Told::default();
    let lagging = async {
        while told.delays().is_empty() {
            beat().await;
        }
        std::future::pending::<()>().await;
    };
    let options = Options { replication_lag: Duration::from_millis(100), ..Options::default() };
    let text = story(TABLE, "backfill update documents set n = n + 1 in batches of 250");
    tokio::select! {
        result = up(database.url(), &text, told.by(options)) => drop(result.unwrap()),
        () = lagging => {}
    }
    let delays = told.delays();
    assert!(delays.iter().any(|reason| reason.starts_with("walreceiver at 127.0.0.1 lags ") && reason.ends_with(" s behind, more than --max-lag allows")), "{delays:?}");
    is_done_once(&database).await;
    // whoever doesn't mind doesn't wait
    let more =
        format!("{text}=== ccc333 m3 after bbb222\nbackfill update documents set n = n + 1 in batches of 100;\n--- irreversible rows\n");
    let told = Told::default();
    up(database.url(), &more, told.by(Options { replication_lag: Duration::MAX, ..Options::default() })).await.unwrap();
    assert!(told.delays().is_empty(), "{:?}", told.delays());
    drop(standby);
}

#[tokio::test]
async fn rows_that_come_and_go_around_it_change_nothing_for_the_others() {
    let database = Database::create(server()).await;
    let table = "create table documents (id int primary key, n int not null default 0, late boolean not null default false)";
    up(database.url(), &beginning(table), Options::default()).await.unwrap();
    database.execute("insert into documents select 2 * i from generate_series(1, 20000) as i").await.unwrap();
    let mut application = database.connect().await;
    let options = Options { batch_target: Duration::from_millis(10), ..Options::default() };
    let text = story(table, "backfill update documents set n = n + 1 in batches of 50");
    // just before the cursor, just behind it, and anywhere
    let writes = "with here as (select coalesce((select last_key[1]::int from _migrate.backfills), 0) as id),
            gone as (delete from documents where id in (select here.id + 2 * (random() * 200 - 100)::int from here)
                or id = 2 * (random() * 20000)::int)
        insert into documents select distinct 2 * (here.id / 2 + (random() * 200 - 100)::int) + 1, 0, true
        from here, generate_series(1, 5) on conflict do nothing";
    let mut written = 0;
    let writing = async {
        loop {
            application.execute(writes).await.unwrap();
            written += 1;
        }
    };
    tokio::select! {
        result = up(database.url(), &text, options) => drop(result.unwrap()),
        () = writing => {}
    }
    assert!(written > 20, "{written}");
    let found = "select concat_ws(' ', min(n) filter (where not late), max(n) filter (where not late), min(n) filter (where late), max(n) filter (where late), \
                 count(*) filter (where not late) < 20000) from documents";
    assert_eq!(database.text(found).await.unwrap(), "1 1 0 1 t");
    assert!(journal(&database, "bbb222").await.starts_with("applied: "));
}
