//! Several migrations go in one message, each in a transaction of its own: nobody sees a difference but in time.
#![expect(clippy::unwrap_used, reason = "a test that can't go on has failed")]

use migrate_runtime::{Database as Migrator, Event, Migrations, Options};
use migrate_tests::chain::chain;
use migrate_tests::proxy::{Cut, Proxy};
use migrate_tests::{Database, server};
use std::fmt::Write as _;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

const RECORDED: &str = "select coalesce(string_agg(name, ' ' order by position), '') from _migrate.revisions where state = 'applied'";

/// A chain of these migrations, called m0, m1 and so on.
fn chain_of(migrations: &[&str]) -> Migrations {
    let mut text = String::new();
    for (i, sql) in migrations.iter().enumerate() {
        let after = i.checked_sub(1).map(|before| format!(" after r{before:05}")).unwrap_or_default();
        let _ = write!(text, "=== r{i:05} m{i}{after}\n{sql};\n");
    }
    chain(&text)
}

fn tables(count: usize) -> Migrations {
    let sql: Vec<String> = (0..count)
        .map(|i| {
            format!(
                "create table t{i} (id int primary key);\nalter table t{i} add column note text;\ncreate index t{i}_note on t{i} (note)"
            )
        })
        .collect();
    chain_of(&sql.iter().map(String::as_str).collect::<Vec<_>>())
}

/// What was told, each with the time since the migrator was made.
type Told = Arc<Mutex<Vec<(Duration, Event)>>>;

fn listening(url: &str) -> (Migrator, Told) {
    let told = Told::default();
    let (hears, began) = (Arc::clone(&told), Instant::now());
    let observer = Arc::new(move |event: &Event| hears.lock().unwrap().push((began.elapsed(), event.clone())));
    let options = Options { observer: Some(observer), ..Options::default() };
    (Migrator::new(url).unwrap().with_options(options), told)
}

async fn round_trips(migrations: usize) -> u64 {
    let database = Database::create(server()).await;
    let proxy = Proxy::start(server(), Duration::ZERO).unwrap();
    Migrator::new(&*proxy.url(database.url())).unwrap().up(tables(migrations), None).await.unwrap();
    proxy.counters().round_trips
}

/// Until there are no more than that, as often as five times: where a message takes longer than usual somebody looks why, which
/// is a round trip, too.
async fn fewest_round_trips(migrations: usize, enough: u64) -> u64 {
    let mut fewest = u64::MAX;
    for _ in 0..5 {
        fewest = fewest.min(round_trips(migrations).await);
        if fewest <= enough {
            break;
        }
    }
    fewest
}

#[tokio::test]
async fn a_hundred_more_migrations_are_at_most_eight_more_round_trips() {
    let (few, many) = (fewest_round_trips(1, 10).await, fewest_round_trips(201, 24).await);
    assert!(few <= 10, "{few} for 1 migration, with those of connecting");
    assert!(many - few <= 16, "{few} for 1 migration, {many} for 201");
}

#[tokio::test]
async fn to_find_nothing_to_do_takes_two_round_trips_after_connecting() {
    let database = Database::create(server()).await;
    Migrator::new(database.url()).unwrap().up(tables(40), None).await.unwrap();
    let proxy = Proxy::start(server(), Duration::ZERO).unwrap();
    Migrator::new(&*proxy.url(database.url())).unwrap().up(tables(40), None).await.unwrap();
    assert_eq!(proxy.counters().round_trips, 4, "with asking for encryption and the start-up");
}

/// The round trips of an `up` that finds a skipped operation in each migration, and leaves all of them so.
async fn round_trips_with_skips(migrations: usize) -> u64 {
    let mut text = "=== r00000 m0\n--- optional\ncreate table legacy (id int primary key);\n--- up\ncreate table t (id int);\n".to_owned();
    for i in 1..=migrations {
        let _ = write!(text, "=== r{i:05} m{i} after r{:05}\nalter table legacy add column c{i} int;\n", i - 1);
    }
    let database = Database::create(server()).await;
    assert_eq!(Migrator::new(database.url()).unwrap().up(chain(&text), None).await.unwrap().skipped, migrations);
    let proxy = Proxy::start(server(), Duration::ZERO).unwrap();
    assert!(Migrator::new(&*proxy.url(database.url())).unwrap().up(chain(&text), None).await.unwrap().revisions.is_empty());
    proxy.counters().round_trips
}

#[tokio::test]
async fn what_stays_skipped_costs_no_look_at_the_database() {
    assert_eq!(round_trips_with_skips(30).await, round_trips_with_skips(1).await);
}

#[tokio::test]
async fn every_migration_is_a_transaction_with_a_journal_of_its_own() {
    let database = Database::create(server()).await;
    let summary = Migrator::new(database.url()).unwrap().up(tables(5), None).await.unwrap();
    let counts: Vec<(&str, usize)> = summary.revisions.iter().map(|report| (report.name.as_str(), report.operations.len())).collect();
    assert_eq!(counts, [("m0", 3), ("m1", 3), ("m2", 3), ("m3", 3), ("m4", 3)]);
    let transactions = "select count(distinct r.xmin::text) || ' ' || count(distinct o.xmin::text) || ' ' || count(*) \
                        from _migrate.revisions as r join _migrate.operations as o using (revision) where o.outcome = 'applied'";
    assert_eq!(database.text(transactions).await.unwrap(), "5 5 15");
}

#[tokio::test]
async fn what_fails_in_the_midst_keeps_what_is_before_it_and_nothing_after_it() {
    let database = Database::create(server()).await;
    let migrations = [
        "create table a (id int)",
        "insert into a values (1), (1)",
        "create table b (id int);\nalter table a add constraint a_key unique (id)",
        "create table c (id int)",
    ];
    let error = Migrator::new(database.url()).unwrap().up(chain_of(&migrations), None).await.unwrap_err();
    let place = error.place().unwrap();
    assert_eq!((place.name.as_str(), place.number, place.line), ("m2", 2, 7), "{error}");
    assert_eq!(database.text(RECORDED).await.unwrap(), "m0 m1");
    let tables = "select string_agg(relname, ' ' order by 1) from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r'";
    assert_eq!(database.text(tables).await.unwrap(), "a");
    let failed = "select string_agg(revision || ' ' || number || ' ' || sqlstate, ', ') from _migrate.log where outcome = 'failed'";
    assert_eq!(database.text(failed).await.unwrap(), "r00002 2 23505");

    database.execute("delete from a").await.unwrap();
    let summary = Migrator::new(database.url()).unwrap().up(chain_of(&migrations), None).await.unwrap();
    assert_eq!(summary.revisions.len(), 2);
    assert_eq!(database.text(RECORDED).await.unwrap(), "m0 m1 m2 m3");
}

#[tokio::test]
async fn what_cant_be_in_a_transaction_stays_in_its_place() {
    let database = Database::create(server()).await;
    let migrations = [
        "create table a (id int)",
        "insert into a values (1), (2)",
        "create index concurrently a_idx on a (id)",
        "delete from a",
        "vacuum a",
        "create table b (id int)",
        "drop index a_idx",
    ];
    let summary = Migrator::new(database.url()).unwrap().up(chain_of(&migrations), None).await.unwrap();
    let names: Vec<&str> = summary.revisions.iter().map(|report| report.name.as_str()).collect();
    assert_eq!(names, ["m0", "m1", "m2", "m3", "m4", "m5", "m6"]);
    let order = "select string_agg(revision || '/' || outcome, ' ' order by id) from _migrate.operations";
    assert_eq!(
        database.text(order).await.unwrap(),
        "r00000/applied r00001/applied r00002/started r00002/applied r00003/applied r00004/started r00004/applied r00005/applied \
         r00006/applied"
    );
}

#[tokio::test]
async fn what_code_has_done_is_looked_at_before_the_next_migration_is_decided() {
    let database = Database::create(server()).await;
    database.execute("create table a (id int)").await.unwrap();
    let migrations = ["do $$ begin execute 'drop table a'; end $$", "create table a (id int)"];
    let summary = Migrator::new(database.url()).unwrap().up(chain_of(&migrations), None).await.unwrap();
    assert_eq!(summary.revisions[1].operations[0].outcome.as_str(), "applied");
    assert_eq!(database.text("select count(*)::text from a").await.unwrap(), "0");
}

#[tokio::test]
async fn a_migration_is_told_as_done_while_the_next_one_is_at_work() {
    let database = Database::create(server()).await;
    let (migrator, told) = listening(database.url());
    let migrations = ["create table a (id int)", "create table b (id int);\nselect pg_sleep(2)", "create table c (id int)"];
    migrator.up(chain_of(&migrations), None).await.unwrap();
    let told = told.lock().unwrap();
    let first = |wanted: &dyn Fn(&Event) -> bool| told.iter().find(|(_, event)| wanted(event)).unwrap().0;
    let done = |name: &'static str| first(&move |event| matches!(event, Event::Done(report) if report.name == name));
    let before = first(&|event| matches!(event, Event::Progress { revision, number: 1 } if revision == "r00001"));
    let long_after = |earlier: Duration| done("m1") > earlier + Duration::from_secs(1);
    assert!(long_after(done("m0")) && long_after(before), "{told:?}");
}

#[tokio::test]
async fn a_migration_takes_as_long_as_its_transaction() {
    let database = Database::create(server()).await;
    let migrations = ["create table a (id int)", "select pg_sleep(1)", "create table c (id int)"];
    let summary = Migrator::new(database.url()).unwrap().up(chain_of(&migrations), None).await.unwrap();
    let long: Vec<bool> = summary.revisions.iter().map(|report| report.duration_ms >= 1000).collect();
    assert_eq!(long, [false, true, false]);
}

#[tokio::test]
async fn who_waits_is_known_by_its_migration() {
    let database = Database::create(server()).await;
    database.execute("create table a (id int)").await.unwrap();
    let mut other = database.connect().await;
    sqlx::raw_sql("begin; select from a").execute(&mut other).await.unwrap();
    let text = "=== r0 m0\n--- external\ncreate table a (id int);\n--- up\ncreate table b (id int);\n\
                === r1 m1 after r0\nalter table a add column n int;\n=== r2 m2 after r1\ncreate table c (id int);\n";
    let migrator = Migrator::new(database.url()).unwrap();
    let up = migrator.up(chain(text), None);
    let (summary, ()) = tokio::join!(up, async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        sqlx::raw_sql("commit").execute(&mut other).await.unwrap();
    });
    assert_eq!(summary.unwrap().revisions.len(), 3);
    let waits = "select string_agg(distinct revision || ' ' || waited_for, ', ') from _migrate.waits";
    assert_eq!(database.text(waits).await.unwrap(), "r1 AccessExclusiveLock on a");
}

#[tokio::test]
async fn a_cut_between_any_two_answers_leaves_what_the_journal_says() {
    let mut lost = 0;
    for n in 1.. {
        let database = Database::create(server()).await;
        let proxy = Proxy::start(server(), Duration::ZERO).unwrap();
        let (migrator, told) = listening(&proxy.url(database.url()));
        proxy.cut_at(Cut::AfterAnswers(n));
        let result = migrator.up(tables(3), None).await;
        if proxy.has_planned_cut() {
            result.unwrap();
            break;
        }
        lost += usize::from(told.lock().unwrap().iter().any(|(_, event)| matches!(event, Event::Reconnecting { .. })));
        let at_once: Vec<String> = result.map_or_else(|_| Vec::new(), |summary| summary.revisions.into_iter().map(|it| it.name).collect());
        assert!(at_once.is_empty() || at_once == ["m0", "m1", "m2"], "{n}: {at_once:?}");
        migrator.up(tables(3), None).await.unwrap();
        assert_eq!(database.text(RECORDED).await.unwrap(), "m0 m1 m2", "{n}");
        let applied = "select count(*) || ' ' || count(distinct (revision, number)) from _migrate.operations where outcome = 'applied'";
        assert_eq!(database.text(applied).await.unwrap(), "9 9", "{n}");
    }
    assert!(lost > 20, "{lost}");
}

#[tokio::test]
async fn a_commit_without_an_answer_is_found_where_more_was_planned_than_one_message_holds() {
    // of a mebibyte each third is full
    let long = "x".repeat(400_000);
    let sql: Vec<String> = (0..8).map(|i| format!("create table t{i} (id int);\ncomment on table t{i} is '{long}'")).collect();
    let migrations = chain_of(&sql.iter().map(String::as_str).collect::<Vec<_>>());
    // which round trip the first message is
    let database = Database::create(server()).await;
    let proxy = Arc::new(Proxy::start(server(), Duration::ZERO).unwrap());
    let (first, seen) = (Arc::new(Mutex::new(None)), Arc::clone(&proxy));
    let heard = Arc::clone(&first);
    let observer = Arc::new(move |event: &Event| {
        if matches!(event, Event::Revision { .. }) {
            heard.lock().unwrap().get_or_insert(seen.counters().round_trips);
        }
    });
    let options = Options { observer: Some(observer), ..Options::default() };
    Migrator::new(&*proxy.url(database.url())).unwrap().with_options(options).up(migrations, None).await.unwrap();
    let first = first.lock().unwrap().unwrap();

    let database = Database::create(server()).await;
    let proxy = Proxy::start(server(), Duration::ZERO).unwrap();
    let (migrator, told) = listening(&proxy.url(database.url()));
    proxy.cut_at(Cut::BeforeReply(first));
    let summary = migrator.up(migrations, None).await.unwrap();
    let names: Vec<&str> = summary.revisions.iter().map(|revision| revision.name.as_str()).collect();
    assert_eq!(names, ["m0", "m1", "m2", "m3", "m4", "m5", "m6", "m7"]);
    let applied = "select count(*) || ' ' || count(distinct (revision, number)) from _migrate.operations where outcome = 'applied'";
    assert_eq!(database.text(applied).await.unwrap(), "16 16");
    let told = told.lock().unwrap();
    let reconnected = told.iter().position(|(_, event)| matches!(event, Event::Reconnecting { .. })).unwrap();
    let settled = told[reconnected..].iter().take_while(|(_, event)| !matches!(event, Event::Revision { .. }));
    let settled = settled.filter(|(_, event)| matches!(event, Event::Done(_))).count();
    assert!((1..8).contains(&settled), "{settled} were in the message whose answer was lost");
    assert!(!told[..reconnected].iter().any(|(_, event)| matches!(event, Event::Done(_))), "an answer has come");
}

#[tokio::test]
async fn what_somebody_creates_meanwhile_is_found_when_its_turn_comes() {
    let database = Database::create(server()).await;
    let migrations = [
        "create table a (id int)",
        "select pg_sleep(1)",
        "create table z (n int, constraint z_n_check check (n in (1, 2)))",
        "create table b (id int)",
    ];
    let mut other = database.connect().await;
    let migrator = Migrator::new(database.url()).unwrap();
    let (result, ()) = tokio::join!(tokio::time::timeout(Duration::from_mins(1), migrator.up(chain_of(&migrations), None)), async {
        while database.text("select (to_regclass('a') is not null)::text").await.unwrap() == "false" {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        // of the same meaning, in other words
        let sql = "create table z (n int, constraint z_n_check check (n = any (array[1, 2])))";
        sqlx::raw_sql(sql).execute(&mut other).await.unwrap();
    });
    assert_eq!(result.unwrap().unwrap().revisions.len(), 4);
    let outcomes = "select string_agg(revision || ' ' || outcome, ', ' order by id) from _migrate.operations where outcome <> 'failed'";
    assert_eq!(database.text(outcomes).await.unwrap(), "r00000 applied, r00001 applied, r00002 satisfied, r00003 applied");
}
