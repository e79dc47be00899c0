//! The primary dies in the midst of a migration, and a standby takes over: what it has of it counts, and nothing else.
#![expect(clippy::unwrap_used, reason = "a test that can't go on has failed")]

use migrate_runtime::{Database as Migrator, Error, Event, Options, Summary};
use migrate_tests::Server;
use migrate_tests::binaries::ServerBinaries;
use migrate_tests::chain::chain;
use migrate_tests::proxy::Proxy;
use migrate_tests::standby::Standby;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, Row as _};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// `n` says how often what comes before and after the index was done.
const CHAIN: &str = "\
=== aaa111 m1
--- external
create table patience (n int);
--- up
create table first (id int primary key, n int not null default 0);
insert into first select generate_series(1, 3);
=== bbb222 m2 after aaa111
create table second (id int primary key);
update first set n = n + 1;
create index concurrently first_n on first (n);
update first set n = n + 10;
select pg_sleep(60) from patience;
=== ccc333 m3 after bbb222
update first set n = n + 100;
create table third (id int primary key);
";
const SLEEPS: &str = "select count(*)::text from pg_stat_activity where wait_event = 'PgSleep'";
const BUILDS: &str = "select count(*)::text from pg_stat_progress_create_index where phase like 'waiting%'";
const WAITS_FOR_STANDBY: &str =
    "select count(*)::text from pg_stat_activity where wait_event = 'SyncRep' and application_name like 'migrate %'";
const RECORDED: &str = "select coalesce(string_agg(revision || ' ' || state, ', ' order by position), '') from _migrate.revisions";

/// A primary and its standby, with the network between them, and the one that clients come by.
struct Pair {
    primary: Server,
    standby: Standby,
    between: Proxy,
    front: Proxy,
}

async fn text(url: &str, sql: &str) -> String {
    let mut connection = PgConnection::connect(url).await.unwrap();
    let rows = sqlx::raw_sql(AssertSqlSafe(sql)).fetch_all(&mut connection).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
    connection.close().await.unwrap();
    rows.last().map(|row| row.get(0)).unwrap_or_default()
}

async fn until(url: &str, sql: &str, expected: &str) {
    let reached = async {
        while text(url, sql).await != expected {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_mins(1), reached).await.unwrap_or_else(|_| panic!("{sql} never gives {expected}"));
}

impl Pair {
    /// One whose standby has what is committed, or is a little behind.
    async fn new(is_synchronous: bool) -> Self {
        let binaries = ServerBinaries::find().unwrap();
        let primary = Server::start_from(&binaries).unwrap();
        let (between, front) = (Proxy::start(&primary, Duration::ZERO).unwrap(), Proxy::start(&primary, Duration::ZERO).unwrap());
        let standby = Standby::follow(&primary, &binaries, &between.url(primary.url()), 0);
        until(primary.url(), "select count(*)::text from pg_stat_replication where state = 'streaming'", "1").await;
        text(primary.url(), "alter role postgres set synchronous_commit = on").await;
        text(primary.url(), "create table patience (n int); insert into patience values (1)").await;
        if is_synchronous {
            text(primary.url(), "alter system set synchronous_standby_names = '*'").await;
            text(primary.url(), "select pg_reload_conf()::text").await;
            until(primary.url(), "select string_agg(sync_state, ' ') from pg_stat_replication", "sync").await;
        } else {
            let behind = "select pg_wal_lsn_diff(pg_current_wal_flush_lsn(), replay_lsn)::text from pg_stat_replication";
            until(primary.url(), behind, "0").await;
        }
        Self { primary, standby, between, front }
    }

    /// The database, on whichever server is the primary.
    fn url(&self) -> String {
        self.front.url(self.primary.url())
    }

    /// The standby hears no more of the primary.
    fn separate(&self) {
        self.between.refuse_connections(true);
        self.between.cut();
    }

    /// The primary dies, and the standby takes over.
    async fn fail_over(&self) {
        self.primary.crash().unwrap();
        text(self.standby.url(), "select pg_promote()::text").await;
        self.front.lead_to(self.standby.address());
        until(&self.url(), "select pg_is_in_recovery()::text", "false").await;
        text(&self.url(), "delete from patience").await;
    }

    /// Runs `up`, stops it where this is told, and does something meanwhile.
    async fn up_until(
        &self,
        is_there: impl Fn(&Event) -> bool + Send + Sync + 'static,
        meanwhile: impl Future<Output = ()>,
    ) -> Result<Summary, Error> {
        let ((told, hears), (goes, waits)) = (channel(), channel());
        let halt = Halt(Mutex::new(Some((told, waits))));
        let observer = move |event: &Event| {
            if is_there(event) {
                halt.stop();
            }
        };
        let options = Options { observer: Some(Arc::new(observer)), ..options() };
        let migrator = Migrator::new(&*self.url()).unwrap().with_options(options);
        // where it is stopped nothing else goes on
        let up = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(migrator.up(chain(CHAIN), None))
        });
        tokio::task::spawn_blocking(move || hears.recv().unwrap()).await.unwrap();
        meanwhile.await;
        drop(goes);
        tokio::task::spawn_blocking(move || up.join().unwrap()).await.unwrap()
    }

    /// Runs `up`, and fails over when the query gives 1 on the primary.
    async fn up_and_fail_over_at(&self, moment: &str) -> Result<Summary, Error> {
        let migrator = Migrator::new(&*self.url()).unwrap().with_options(options());
        let up = tokio::spawn(async move { migrator.up(chain(CHAIN), None).await });
        until(self.primary.url(), moment, "1").await;
        self.fail_over().await;
        up.await.unwrap()
    }

    /// The next `up` does what isn't done; then everything is done once, and the journal says on which server.
    async fn is_healed_by_the_next_up(&self) {
        let up = async || Migrator::new(&*self.url()).unwrap().with_options(options()).up(chain(CHAIN), None).await.unwrap();
        up().await;
        assert!(up().await.revisions.is_empty());
        let state = "select concat_ws(' ', (select string_agg(id || '=' || n, ' ' order by id) from first),
            (select count(*) from pg_index where not (indisvalid and indisready)), to_regclass('first_n'), to_regclass('second'), to_regclass('third'))";
        assert_eq!(text(&self.url(), state).await, "1=111 2=111 3=111 0 first_n second third");
        assert_eq!(text(&self.url(), RECORDED).await, "aaa111 applied, bbb222 applied, ccc333 applied");
        let journal = "select string_agg(line, ' ' order by line) from (select left(revision, 1) || number || '*' || count(*) as line
            from _migrate.operations where outcome = 'applied' group by revision, number) as lines";
        assert_eq!(text(&self.url(), journal).await, "a2*1 a3*1 b1*1 b2*1 b3*1 b4*1 b5*1 c1*1 c2*1");
        let servers = "select concat_ws(' ', count(distinct system_identifier), max(timeline)) from _migrate.runs";
        assert_eq!(text(&self.url(), servers).await, "1 2");
        let last = "select string_agg(distinct timeline::text, ' ') from _migrate.log where revision = 'ccc333' and outcome = 'applied'";
        assert_eq!(text(&self.url(), last).await, "2");
    }
}

fn options() -> Options {
    Options { reconnect_wait: Duration::from_mins(1), ..Options::default() }
}

/// Stops the migrator, once: it hears nothing of what happens until the other end goes.
struct Halt(Mutex<Option<(Sender<()>, Receiver<()>)>>);

impl Halt {
    fn stop(&self) {
        let taken = self.0.lock().unwrap().take();
        if let Some((tells, waits)) = taken {
            tells.send(()).unwrap();
            // that the other end is gone is what it waits for
            let _ = waits.recv();
        }
    }
}

/// The `now: …` of a connection that was lost.
fn now_of(result: Result<Summary, Error>) -> String {
    let error = result.unwrap_err();
    assert!(matches!(error, Error::ConnectionLost { .. }), "{error}");
    error.now().unwrap()
}

fn is_done(event: &Event, name: &str) -> bool {
    matches!(event, Event::Done(report) if report.name == name)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn inside_of_a_transaction() {
    let pair = Pair::new(true).await;
    let now = now_of(pair.up_and_fail_over_at(SLEEPS).await);
    assert_eq!(now, "3 of its operations were done and committed before; the rest was rolled back");
    pair.is_healed_by_the_next_up().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn while_an_index_is_built() {
    let pair = Pair::new(true).await;
    let mut reader = PgConnection::connect(pair.primary.url()).await.unwrap();
    // the build waits for who may still look for what was there before it
    sqlx::raw_sql("begin isolation level repeatable read; select").execute(&mut reader).await.unwrap();
    let now = now_of(pair.up_and_fail_over_at(BUILDS).await);
    assert_eq!(now, "2 of its operations were done and committed before; the rest was rolled back");
    assert_eq!(text(&pair.url(), "select count(*)::text from pg_index where not indisvalid").await, "1");
    pair.is_healed_by_the_next_up().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn between_two_segments_and_between_two_migrations() {
    let pair = Pair::new(true).await;
    // its answers are in, and the index isn't begun
    let is_there = |event: &Event| matches!(event, Event::Progress { revision, number: 2 } if revision == "bbb222");
    let result = pair.up_until(is_there, pair.fail_over()).await;
    assert_eq!(text(&pair.url(), RECORDED).await, "aaa111 applied, bbb222 started");
    assert_eq!(now_of(result), "2 of its operations were done and committed before; the rest was rolled back");
    pair.is_healed_by_the_next_up().await;

    let pair = Pair::new(true).await;
    text(pair.primary.url(), "delete from patience").await;
    let result = pair.up_until(|event| is_done(event, "m2"), pair.fail_over()).await;
    assert_eq!(text(&pair.url(), RECORDED).await, "aaa111 applied, bbb222 applied");
    assert_eq!(now_of(result), "the migration was rolled back whole; the database is as it was before it");
    pair.is_healed_by_the_next_up().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn at_a_commit_that_the_standby_never_hears_of() {
    let pair = Pair::new(true).await;
    text(pair.primary.url(), "delete from patience").await;
    let is_separate = AtomicBool::new(false);
    let separated = async {
        pair.separate();
        is_separate.store(true, Ordering::SeqCst);
    };
    let failing_over = async {
        while !is_separate.load(Ordering::SeqCst) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        until(pair.primary.url(), WAITS_FOR_STANDBY, "1").await;
        pair.fail_over().await;
    };
    let (result, ()) = tokio::join!(pair.up_until(|event| is_done(event, "m1"), separated), failing_over);
    assert_eq!(now_of(result), "the migration was rolled back whole; the database is as it was before it");
    assert_eq!(text(&pair.url(), RECORDED).await, "aaa111 applied");
    pair.is_healed_by_the_next_up().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn segments_that_were_committed_and_are_lost_are_done_again() {
    let pair = Pair::new(false).await;
    let separated = async {
        until(pair.standby.url(), "select coalesce(to_regclass('first')::text, '')", "first").await;
        pair.separate();
    };
    let failing_over = async {
        until(pair.primary.url(), SLEEPS, "1").await;
        assert_eq!(text(pair.primary.url(), RECORDED).await, "aaa111 applied, bbb222 started");
        pair.fail_over().await;
    };
    let (result, ()) = tokio::join!(pair.up_until(|event| is_done(event, "m1"), separated), failing_over);
    assert_eq!(text(&pair.url(), RECORDED).await, "aaa111 applied");
    assert_eq!(now_of(result), "the migration was rolled back whole; the database is as it was before it");
    pair.is_healed_by_the_next_up().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn migrations_that_were_told_as_done_and_are_lost_are_said_to_be() {
    let pair = Pair::new(false).await;
    // not even the journal gets there
    pair.separate();
    let now = now_of(pair.up_and_fail_over_at(SLEEPS).await);
    assert_eq!(
        now,
        "the migration was rolled back whole, and the server that answers now was behind: what this run had done before that is lost, \
         too (`m1`), and the same command does it again"
    );
    assert_eq!(text(&pair.url(), "select coalesce(to_regclass('first')::text, 'gone')").await, "gone");
    pair.is_healed_by_the_next_up().await;
}
