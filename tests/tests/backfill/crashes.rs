//! Whatever is killed or cut: every row is changed once.
//!
//! `n = n + 1` proves it: a batch that is lost leaves a 0, and one that is done twice a 2.

use crate::{Told, beginning, journal, story, up};
use migrate_runtime::{DownTo, Error, Event, Options};
use migrate_tests::chain::chain;
use migrate_tests::proxy::{Cut, Proxy};
use migrate_tests::{Database, server};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

const TABLE: &str = "create table documents (id uuid primary key, n int not null default 0)";
const BACKFILL: &str = "backfill update documents set n = n + 1 in batches of 100";
const URL: &str = "BACKFILL_URL";
const ONCE: &str = "select concat_ws(' ', count(*), min(n), max(n)) from documents";
const PASSED: &str = "select coalesce((select rows_passed from _migrate.backfills), -1)::text";

/// Batches as short as can be, so that there are many moments to be hit.
fn hurried() -> Options {
    Options { batch_target: Duration::from_millis(1), ..Options::default() }
}

/// No test of its own: what the others start and kill. Without orders there is nothing to do.
#[tokio::test]
async fn runs_up_where_it_is_told_to() {
    let Ok(url) = std::env::var(URL) else { return };
    // one that is killed leaves a server at work
    up(&url, &story(TABLE, BACKFILL), hurried()).await.unwrap();
}

struct Migrator(Child);

impl Migrator {
    fn start(url: &str) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "crashes::runs_up_where_it_is_told_to"]).env(URL, url);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        Self(command.spawn().unwrap())
    }

    /// Whether it has come to its end by itself.
    fn has_ended(&mut self) -> bool {
        self.0.try_wait().unwrap().is_some()
    }
}

impl Drop for Migrator {
    fn drop(&mut self) {
        // SIGKILL, which nobody can prepare for
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test]
async fn a_migrator_that_is_killed_again_and_again_changes_every_row_once() {
    let database = Database::create(server()).await;
    up(database.url(), &beginning(TABLE), Options::default()).await.unwrap();
    database.execute("insert into documents select gen_random_uuid() from generate_series(1, 600); analyze documents").await.unwrap();
    // a millisecond a row, so that there are as many moments as rows
    let slow = "create function slow() returns trigger language plpgsql as $$ begin perform pg_sleep(0.001); return new; end $$;
                create trigger slow before update on documents for each row execute function slow()";
    database.execute(slow).await.unwrap();
    let mut kills = 0;
    let mut reached: Vec<i64> = Vec::new();
    loop {
        let mut migrator = Migrator::start(database.url());
        // it has to get somewhere, or it would be killed for ever
        let before: i64 = database.text(PASSED).await.unwrap_or_default().parse().unwrap_or(-1);
        let mut ended = false;
        loop {
            ended |= migrator.has_ended();
            let now: i64 = database.text(PASSED).await.unwrap_or_default().parse().unwrap_or(-1);
            if ended || now > before.max(0) {
                break;
            }
        }
        tokio::time::sleep(Duration::from_micros(fastrand::u64(..100_000))).await;
        if ended || migrator.has_ended() {
            break;
        }
        drop(migrator);
        kills += 1;
        // nothing is left of the cursor once all is done, which may be just before the kill
        reached.extend(database.text(PASSED).await.unwrap().parse::<i64>().ok().filter(|passed| *passed >= 0));
    }
    assert!(kills >= 3, "killed {kills} times only, at {reached:?}");
    assert!(reached.is_sorted(), "{reached:?}");
    assert_eq!(database.text(ONCE).await.unwrap(), "600 1 1", "killed {kills} times, at {reached:?}");
    let journal = journal(&database, "bbb222").await;
    assert!(journal.starts_with("applied: 1 applied 600 of 600 rows changed in "), "{journal}");
    let outcomes = "select string_agg(outcome, ', ' order by id) from _migrate.operations where revision = 'bbb222'";
    assert_eq!(database.text(outcomes).await.unwrap(), "started, applied");
}

#[tokio::test]
async fn a_connection_that_is_cut_at_any_moment_loses_no_batch_and_repeats_none() {
    let table = "create table documents (id int primary key, n int not null default 0)";
    let text = story(table, "backfill update documents set n = n + 1 in batches of 6");
    let base = Database::create(server()).await;
    up(base.url(), &beginning(table), Options::default()).await.unwrap();
    base.execute("insert into documents select generate_series(1, 10)").await.unwrap();
    let (mut cuts, mut lost) = (0, 0);
    for cut in (1..).flat_map(|n| [Cut::BeforeRequest(n), Cut::BeforeReply(n)]) {
        // what is copied nobody can be connected to
        tokio::time::sleep(Duration::from_millis(20)).await;
        let database = base.copy(server()).await;
        let proxy = Proxy::start(server(), Duration::ZERO).unwrap();
        proxy.cut_at(cut);
        // batches stay as small as they are
        let options = Options { batch_target: Duration::from_millis(1), reconnect_wait: Duration::from_secs(20), ..Options::default() };
        let result = up(&proxy.url(database.url()), &text, options).await;
        if proxy.has_planned_cut() {
            result.unwrap();
            break;
        }
        cuts += 1;
        match result {
            Ok(_) => {}
            Err(error) => {
                lost += 1;
                assert!(matches!(error, Error::ConnectionLost { .. } | Error::Connect { .. } | Error::Server { .. }), "{cut:?}: {error}");
                let told = Told::default();
                up(database.url(), &text, told.by(Options::default())).await.unwrap_or_else(|error| panic!("{cut:?}: {error}"));
            }
        }
        assert_eq!(database.text(ONCE).await.unwrap(), "10 1 1", "{cut:?}");
        assert!(journal(&database, "bbb222").await.starts_with("applied: 1 applied 10 of 10 rows changed in "), "{cut:?}");
    }
    assert!(cuts >= 20 && lost >= 10, "{cuts} cuts, {lost} of them told");
}

#[tokio::test]
async fn a_guard_that_is_ended_between_two_batches_stops_it_and_the_next_run_goes_on() {
    let database = Database::create(server()).await;
    up(database.url(), &beginning(TABLE), Options::default()).await.unwrap();
    database.execute("insert into documents select gen_random_uuid() from generate_series(1, 20000)").await.unwrap();
    let text = story(TABLE, BACKFILL);
    let end = "select count(pg_terminate_backend(pid))::text from pg_locks where locktype = 'advisory' and mode = 'ExclusiveLock' and granted \
               and database = (select oid from pg_database where datname = current_database())";
    let (mut ended, mut stopped, mut before) = (0, 0, 0);
    loop {
        let told = Told::default();
        // each is twice as large as the one before it, so that it gets somewhere on any machine
        let options = Options { batch_target: Duration::from_mins(1), reconnect_wait: Duration::ZERO, ..Options::default() };
        let options = told.by(options);
        let ending = async {
            while told.progress().len() < 3 {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            let count: i32 = database.text(end).await.unwrap().parse().unwrap();
            ended += count;
            std::future::pending::<()>().await;
        };
        let result = tokio::select! {
            result = up(database.url(), &text, options) => result,
            () = ending => unreachable!(),
        };
        let Err(error) = result else { break };
        stopped += 1;
        assert!(matches!(error, Error::ConnectionLost { .. }), "{error}");
        // it had stopped where the journal says
        let changed = database.text("select count(*)::text from documents where n = 1").await.unwrap();
        assert_eq!(database.text(PASSED).await.unwrap(), changed);
        let changed: u64 = changed.parse().unwrap();
        assert!(changed > before, "{changed} rows, as before");
        before = changed;
    }
    assert!(ended >= 1 && stopped >= 1, "{ended} ended, {stopped} stopped");
    assert_eq!(database.text(ONCE).await.unwrap(), "20000 1 1");
}

#[tokio::test]
async fn what_is_done_late_is_not_done_again_when_what_comes_after_it_waits_for_a_lock() {
    let database = Database::create(server()).await;
    let text = "=== aaa111 m1\n--- optional\ncreate table documents (id int primary key, n int not null default 0);\n--- up\n\
                backfill update documents set n = n + 1 in batches of 10;\nalter table documents add column note text;\n--- irreversible rows\n";
    up(database.url(), text, Options::default()).await.unwrap();
    assert_eq!(journal(&database, "aaa111").await.matches("skipped").count(), 2);
    let table =
        "create table documents (id int primary key, n int not null default 0); insert into documents select generate_series(1, 35)";
    database.execute(table).await.unwrap();
    let mut reader = database.connect().await;
    sqlx::raw_sql("begin; lock table documents in access share mode").execute(&mut reader).await.unwrap();
    let (sender, woken) = tokio::sync::oneshot::channel();
    let sender = Mutex::new(Some(sender));
    let observer = Arc::new(move |event: &Event| {
        if matches!(event, Event::Retrying { .. })
            && let Some(sender) = sender.lock().unwrap().take()
        {
            sender.send(()).unwrap();
        }
    });
    let options = Options { lock_timeout: Duration::from_millis(50), observer: Some(observer), ..Options::default() };
    let (done, ()) = tokio::join!(up(database.url(), text, options), async {
        woken.await.unwrap();
        sqlx::raw_sql("rollback").execute(&mut reader).await.unwrap();
    });
    done.unwrap();
    assert_eq!(database.text("select concat_ws(' ', count(*), min(n), max(n)) from documents").await.unwrap(), "35 1 1");
    assert_eq!(journal(&database, "aaa111").await.matches("applied").count(), 3, "the revision, and two operations");
}

#[tokio::test]
async fn what_is_half_done_late_is_no_more_taken_back_than_what_is_half_done() {
    let database = Database::create(server()).await;
    let table = "create table documents (id int primary key, n int not null default 0)";
    let text = format!(
        "=== aaa111 m1\n--- optional\n{table};\n--- up\nbackfill update documents set n = n + 1 in batches of 10;\n--- down\n\
         backfill update documents set n = n - 1 in batches of 10;\n"
    );
    up(database.url(), &text, Options::default()).await.unwrap();
    let rows = "insert into documents select generate_series(1, 35); alter table documents add constraint small check (id < 25 or n = 0)";
    database.execute(&format!("{table}; {rows}")).await.unwrap();
    let options = Options { batch_target: Duration::from_millis(1), ..Options::default() };
    up(database.url(), &text, options).await.unwrap_err();
    assert_eq!(database.text("select count(*)::text from _migrate.skipped").await.unwrap(), "1", "it is done late by the next `up`");
    let migrator = migrate_runtime::Database::new(database.url()).unwrap();
    let error = migrator.down(chain(&text), &DownTo::Base).await.unwrap_err();
    assert!(error.what().contains("is half done"), "{error}");
    database.execute("alter table documents drop constraint small").await.unwrap();
    up(database.url(), &text, Options::default()).await.unwrap();
    assert_eq!(database.text(ONCE).await.unwrap(), "35 1 1");
    migrator.down(chain(&text), &DownTo::Base).await.unwrap();
    assert_eq!(database.text(ONCE).await.unwrap(), "35 0 0");
}

#[tokio::test]
async fn nothing_is_reversed_where_an_earlier_revision_is_half_done() {
    let database = Database::create(server()).await;
    let table = "create table documents (id int primary key, n int not null default 0)";
    let text = format!(
        "=== aaa111 m1\n--- optional\n{table};\n--- up\nbackfill update documents set n = n + 1 in batches of 10;\n--- down\n\
         backfill update documents set n = n - 1 in batches of 10;\n\
         === bbb222 m2 after aaa111\ncreate table second (id int);\n=== ccc333 m3 after bbb222\ncreate table third (id int);\n"
    );
    up(database.url(), &text, Options::default()).await.unwrap();
    let rows = "insert into documents select generate_series(1, 35); alter table documents add constraint small check (id < 25 or n = 0)";
    database.execute(&format!("{table}; {rows}")).await.unwrap();
    up(database.url(), &text, Options { batch_target: Duration::from_millis(1), ..Options::default() }).await.unwrap_err();
    let migrator = migrate_runtime::Database::new(database.url()).unwrap();
    let there = "select concat_ws(' ', to_regclass('second'), to_regclass('third'), (select count(*) from _migrate.revisions), \
                 (select count(*) from _migrate.operations where outcome = 'reverted'))";
    for to in [DownTo::Steps(3), DownTo::Base] {
        let error = migrator.down(chain(&text), &to).await.unwrap_err();
        assert!(error.what().starts_with("`m1` is half done: "), "{error}");
        assert_eq!(database.text(there).await.unwrap(), "second third 3 0");
    }
    // the others don't have to wait for it
    migrator.down(chain(&text), &DownTo::Steps(2)).await.unwrap();
    assert_eq!(database.text(there).await.unwrap(), "1 2");
}
