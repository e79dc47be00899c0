//! The journal in PostgreSQL: what it says of runs and operations, and that one of an older format is brought up to date.
#![expect(clippy::unwrap_used, reason = "a test that can't go on has failed")]

use migrate_runtime::{Database as Migrator, DownTo, Error, Event, Options};
use migrate_tests::chain::chain;
use migrate_tests::{Database, server};
use sqlx::{Connection as _, Executor as _, PgConnection};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// A table that an application has a lock on, and a chain that adds a column to it.
struct Held {
    database: Database,
    text: String,
    application: PgConnection,
}

impl Held {
    async fn new() -> Self {
        let database = Database::create(server()).await;
        let base = "=== aaa111 m1\ncreate table first (id int primary key);\n";
        up(&database, base).await.unwrap();
        let mut application = database.connect().await;
        application.execute("begin; lock table first in access share mode").await.unwrap();
        let text = format!("{base}=== bbb222 m2 after aaa111\nalter table first add column name text;\n");
        Self { database, text, application }
    }

    async fn release(&mut self) {
        self.application.execute("commit").await.unwrap();
    }
}

/// The tables as earlier versions made them.
const FORMATS: [(&str, &str); 3] =
    [("1", include_str!("journal/format_1.sql")), ("2", include_str!("journal/format_2.sql")), ("3", include_str!("journal/format_3.sql"))];

async fn up(database: &Database, text: &str) -> Result<migrate_runtime::Summary, Error> {
    Migrator::new(database.url()).unwrap().up(chain(text), None).await
}

#[tokio::test]
async fn what_takes_long_is_timed_by_the_server() {
    let database = Database::create(server()).await;
    let text = "=== aaa111 m1\ncreate table first (id int primary key);\nselect pg_sleep(0.3);\ncreate table second (id int primary key);\n\
                select pg_sleep(0.6);\n";
    let summary = up(&database, text).await.unwrap();
    let durations: Vec<u64> = summary.revisions[0].operations.iter().map(|operation| operation.duration_ms).collect();
    assert!(durations[1] >= 300 && durations[3] >= 600 && durations[0] < 300 && durations[2] < 300, "{durations:?}");
    let journalled = "select string_agg(number || ' ' || coalesce((duration_ms >= 300 * number / 2)::text, 'not timed'), ', ' order by number) \
                      from _migrate.log";
    assert_eq!(database.text(journalled).await.unwrap(), "1 not timed, 2 true, 3 not timed, 4 true");
}

#[tokio::test]
async fn a_wait_for_a_lock_is_kept_with_who_had_it() {
    let mut held = Held::new().await;
    let options = Options { lock_timeout: Duration::from_mins(1), ..Options::default() };
    let migrator = Migrator::new(held.database.url()).unwrap().with_options(options);
    let (result, ()) = tokio::join!(migrator.up(chain(&held.text.clone()), None), async {
        let waits = "select exists (select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock' \
                     and clock_timestamp() - query_start > interval '700 ms')::text";
        while held.database.text(waits).await.unwrap() == "false" {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        held.release().await;
    });
    result.unwrap();
    let waits = "select string_agg(concat_ws(' ', revision, direction, waited_for, waited_ms between 100 and 60000, \
                 blockers like 'pid % of postgres (from 127.0.0.1), idle in transaction, % old: begin; lock table first in access share mode'), ', ') \
                 from _migrate.waits";
    assert_eq!(held.database.text(waits).await.unwrap(), "bbb222 up AccessExclusiveLock on first t t");
}

#[tokio::test]
async fn a_run_says_who_did_it_where() {
    let database = Database::create(server()).await;
    up(&database, "=== aaa111 m1\ncreate table first (id int primary key);\n").await.unwrap();
    let run = "select string_agg(concat_ws(' ', command, database_user, client_address, application ~ '^migrate [0-9a-f]{8}$', \
               server_version = current_setting('server_version'), system_identifier = (select system_identifier::text from pg_control_system()), \
               timeline), ', ') from _migrate.log";
    assert_eq!(database.text(run).await.unwrap(), "up postgres 127.0.0.1 t t t 1");
}

#[tokio::test]
async fn what_was_found_is_kept_with_what_was_done() {
    let database = Database::create(server()).await;
    database.execute("create table there (id int primary key)").await.unwrap();
    let text = "=== aaa111 m1\n--- optional\ncreate table events (id int primary key);\n--- up\ncreate table first (id int primary key);\n\
                create table there (id int primary key);\nalter table events add column name text;\n";
    up(&database, text).await.unwrap();
    let log = "select string_agg(concat_ws(' ', number, verdict, outcome), ', ' order by number) from _migrate.latest";
    assert_eq!(database.text(log).await.unwrap(), "2 before applied, 3 after satisfied, 4 absent skipped");
    database.execute("create table other (id bigint)").await.unwrap();
    let text = format!("{text}=== bbb222 m2 after aaa111\ncreate table other (id int primary key);\n");
    up(&database, &text).await.unwrap_err();
    let failed =
        "select string_agg(concat_ws(' ', revision, number, direction, verdict, outcome), ', ') from _migrate.log where outcome = 'failed'";
    assert_eq!(database.text(failed).await.unwrap(), "bbb222 1 up conflict failed");
}

#[tokio::test]
async fn a_failure_on_the_way_back_is_one_of_the_way_back() {
    let database = Database::create(server()).await;
    let text = "=== aaa111 m1\ncreate table first (id int primary key);\n";
    up(&database, text).await.unwrap();
    database.execute("create view reads as select id from first").await.unwrap();
    Migrator::new(database.url()).unwrap().down(chain(text), &DownTo::Base).await.unwrap_err();
    let failed = "select string_agg(concat_ws(' ', direction, sqlstate), ', ') from _migrate.log where outcome = 'failed'";
    assert_eq!(database.text(failed).await.unwrap(), "down 2BP01");
}

#[tokio::test]
async fn a_journal_of_an_older_format_is_brought_up_to_date() {
    for (version, tables) in FORMATS {
        is_brought_up_to_date(version, tables).await;
    }
}

async fn is_brought_up_to_date(version: &str, tables: &str) {
    let database = Database::create(server()).await;
    let base = "=== aaa111 m1\ncreate table first (id int primary key);\n";
    database.execute("create table first (id int primary key)").await.unwrap();
    database.execute(tables).await.unwrap();
    let checksum = chain(base).migrations[0].checksum;
    database
        .execute(&format!(
            "insert into _migrate.runs (command, tool_version) values ('up', '0.1.0');
             insert into _migrate.revisions (revision, name, checksum, state, run) values ('aaa111', 'm1', '{checksum}', 'applied', 1);
             insert into _migrate.operations (run, revision, direction, number, operation, outcome, file, line)
                 values (1, 'aaa111', 'up', 1, 'create table `first`', 'applied', 'm1.rs', 4);"
        ))
        .await
        .unwrap();
    let text = format!("{base}=== bbb222 m2 after aaa111\nalter table first add column name text;\n");
    let status = Migrator::new(database.url()).unwrap().status(chain(&text)).await.unwrap();
    assert_eq!(status.current()[0].revision, "aaa111");
    assert_eq!(database.text("select version::text from _migrate.format").await.unwrap(), version, "`status` writes nothing");
    up(&database, &text).await.unwrap();
    assert_eq!(database.text("select version::text from _migrate.format").await.unwrap(), "4");
    let log = "select string_agg(concat_ws(' ', revision, number, verdict, outcome), ', ' order by run) from _migrate.log";
    assert_eq!(database.text(log).await.unwrap(), "aaa111 1 applied, bbb222 1 before applied");
    // what was brought up to date is what is made anew
    let other = Database::create(server()).await;
    up(&other, &text).await.unwrap();
    let shape = "select string_agg(concat_ws(' ', table_name, column_name, data_type, is_nullable), ', ' order by table_name, column_name) \
                 from information_schema.columns where table_schema = '_migrate'";
    assert_eq!(database.text(shape).await.unwrap(), other.text(shape).await.unwrap());
    let views = "select string_agg(viewname || definition, e'\\n' order by viewname) from pg_views where schemaname = '_migrate'";
    assert_eq!(database.text(views).await.unwrap(), other.text(views).await.unwrap());
}

#[tokio::test]
async fn who_reads_a_journal_of_an_older_format_is_waited_for_as_long_as_for_another_migrator() {
    for (guard_wait, is_patient) in [(Duration::ZERO, false), (Duration::from_millis(300), false), (Duration::MAX, true)] {
        let database = Database::create(server()).await;
        database.execute(FORMATS[0].1).await.unwrap();
        let mut reader = database.connect().await;
        reader.execute("begin; select * from _migrate.operations").await.unwrap();
        let migrator = Migrator::new(database.url()).unwrap().with_options(Options { guard_wait, ..Options::default() });
        let text = "=== aaa111 m1\ncreate table first (id int primary key);\n";
        let (result, ()) = tokio::join!(tokio::time::timeout(Duration::from_secs(30), migrator.up(chain(text), None)), async {
            let waits = "select count(*)::text from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";
            while is_patient && database.text(waits).await.unwrap() == "0" {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            if is_patient {
                reader.execute("rollback").await.unwrap();
            }
        });
        let result = result.unwrap_or_else(|_| panic!("a wait of {guard_wait:?} has no end"));
        if is_patient {
            result.unwrap();
            continue;
        }
        let error = result.unwrap_err();
        assert_eq!(error.sqlstate().as_deref(), Some("55P03"), "{error}");
        assert_eq!(database.text("select version::text from _migrate.format").await.unwrap(), "1");
        reader.close().await.unwrap();
        migrator.up(chain(text), None).await.unwrap();
        assert_eq!(database.text("select version::text from _migrate.format").await.unwrap(), "4");
    }
}

#[tokio::test]
async fn a_journal_of_a_newer_format_is_left_alone() {
    let database = Database::create(server()).await;
    let text = "=== aaa111 m1\ncreate table first (id int primary key);\n";
    up(&database, text).await.unwrap();
    database.execute("update _migrate.format set version = 99").await.unwrap();
    let error = up(&database, &format!("{text}=== bbb222 m2 after aaa111\ncreate table second (id int);\n")).await.unwrap_err();
    assert_eq!(error.what(), "the journal has format 99, and this binary knows formats up to 4");
    assert_eq!(error.exit_code(), 5);
}

#[tokio::test]
async fn a_journal_that_somebody_makes_a_newer_one_of_meanwhile_is_left_alone() {
    let database = Database::create(server()).await;
    let text = "=== aaa111 m1\ncreate table first (id int primary key);\n";
    up(&database, text).await.unwrap();
    let mut newer = database.connect().await;
    newer.execute("begin; select pg_advisory_xact_lock(x'006d696772617465'::bigint)").await.unwrap();
    let waits = Arc::new(tokio::sync::Notify::new());
    let told = Arc::clone(&waits);
    let observer = Arc::new(move |event: &Event| {
        if matches!(event, Event::WaitingForLock { .. }) {
            told.notify_one();
        }
    });
    let migrator = Migrator::new(database.url()).unwrap().with_options(Options { observer: Some(observer), ..Options::default() });
    let text = format!("{text}=== bbb222 m2 after aaa111\ncreate table second (id int);\n");
    let (result, ()) = tokio::join!(migrator.up(chain(&text), None), async {
        waits.notified().await;
        newer.execute("update _migrate.format set version = 99; commit").await.unwrap();
    });
    assert_eq!(result.unwrap_err().what(), "the journal has format 99, and this binary knows formats up to 4");
    assert_eq!(database.text("select count(*)::text from _migrate.runs").await.unwrap(), "1");
}

#[tokio::test]
async fn a_role_that_may_not_ask_which_server_it_is_leaves_that_open() {
    let database = Database::create(server()).await;
    let (role, name) = (format!("{}_plain", database.name()), database.name());
    database
        .execute(&format!(
            "revoke execute on function pg_control_system() from public; create role {role} login; \
             grant create on database {name} to {role}; grant create on schema public to {role}"
        ))
        .await
        .unwrap();
    let migrator = Migrator::new(database.url_as(&role).as_str()).unwrap();
    migrator.up(chain("=== aaa111 m1\ncreate table first (id int primary key);\n"), None).await.unwrap();
    let known = "select concat_ws(' ', database_user, system_identifier, timeline) from _migrate.runs";
    assert_eq!(database.text(known).await.unwrap(), role);
    drop(migrator);
    database.execute(&format!("drop owned by {role} cascade; drop role {role}")).await.unwrap();
}

#[tokio::test]
async fn who_reads_the_journal_is_in_nobodys_way() {
    let database = Database::create(server()).await;
    let base = "=== aaa111 m1\ncreate table first (id int primary key);\n";
    up(&database, base).await.unwrap();
    let mut reader = database.connect().await;
    let mut transaction = reader.begin().await.unwrap();
    transaction.execute("select * from _migrate.log, _migrate.skipped, _migrate.waits").await.unwrap();
    let text = format!("{base}=== bbb222 m2 after aaa111\ncreate table second (id int primary key);\n");
    let summary = tokio::time::timeout(Duration::from_secs(30), up(&database, &text)).await.unwrap().unwrap();
    assert_eq!(summary.current[0].revision, "bbb222");
}

#[tokio::test]
async fn a_wait_without_a_limit_is_looked_at_now_and_then() {
    let mut held = Held::new().await;
    let looks = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&looks);
    let observer = Arc::new(move |event: &Event| {
        if matches!(event, Event::Blocked { .. }) {
            counted.fetch_add(1, Ordering::Relaxed);
        }
    });
    let options = Options { lock_timeout: Duration::ZERO, observer: Some(observer), ..Options::default() };
    let migrator = Migrator::new(held.database.url()).unwrap().with_options(options);
    let (result, ()) = tokio::join!(migrator.up(chain(&held.text.clone()), None), async {
        while looks.load(Ordering::Relaxed) == 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
        held.release().await;
    });
    result.unwrap();
    // twice as long each time, from 10 ms on
    assert!(looks.load(Ordering::Relaxed) <= 9, "{looks:?}");
}

const LATEST: &str = "select coalesce(string_agg(concat_ws(' ', revision, direction, number, outcome), ', ' order by revision, number), '') \
                      from _migrate.latest";
const SKIPPED: &str =
    "select coalesce(string_agg(concat_ws(' ', revision, number), ', ' order by revision, number), '') from _migrate.skipped";

#[tokio::test]
async fn what_an_earlier_life_of_a_revision_has_skipped_counts_no_more() {
    let database = Database::create(server()).await;
    let text = "=== aaa111 m1\n--- optional\ncreate table events (id int primary key);\n--- up\nalter table events add column name text;\n";
    let migrator = Migrator::new(database.url()).unwrap();
    migrator.up(chain(text), None).await.unwrap();
    assert_eq!(database.text(SKIPPED).await.unwrap(), "aaa111 2");
    migrator.down(chain(text), &DownTo::Base).await.unwrap();
    assert_eq!(database.text(SKIPPED).await.unwrap(), "");
    migrator.stamp(chain(text), "m1").await.unwrap();
    assert_eq!(database.text(SKIPPED).await.unwrap(), "");
    let status = migrator.status(chain(text)).await.unwrap();
    assert_eq!(status.revisions[0].skipped, 0);
}

#[tokio::test]
async fn what_was_taken_back_without_a_step_is_done_again_from_its_beginning() {
    let database = Database::create(server()).await;
    // the way back has nothing to do: what was there isn't dropped
    let text = "=== aaa111 m1\ncreate table first (id int primary key);\ncreate index concurrently first_idx on first (id);\n\
                create index concurrently second_idx on first (id);\n";
    let there = "create table first (id int primary key); create index first_idx on first (id); create index second_idx on first (id)";
    database.execute(there).await.unwrap();
    let migrator = Migrator::new(database.url()).unwrap();
    migrator.up(chain(text), None).await.unwrap();
    assert_eq!(database.text(LATEST).await.unwrap(), "aaa111 up 1 satisfied, aaa111 up 2 satisfied, aaa111 up 3 satisfied");
    migrator.down(chain(text), &DownTo::Base).await.unwrap();
    database.execute("drop table first").await.unwrap();
    // the second life is interrupted before it says anything of the last operation
    database
        .execute(
            "create function refuse() returns event_trigger language plpgsql as \
             $$ begin raise 'no'; end $$; \
             create event trigger refuse on ddl_command_start when tag in ('CREATE INDEX') execute function refuse()",
        )
        .await
        .unwrap();
    migrator.up(chain(text), None).await.unwrap_err();
    database.execute("drop event trigger refuse").await.unwrap();
    migrator.up(chain(text), None).await.unwrap();
    assert_eq!(database.text(LATEST).await.unwrap(), "aaa111 up 1 applied, aaa111 up 2 applied, aaa111 up 3 applied");
    assert_eq!(database.text("select count(*)::text from pg_index where indrelid = 'first'::regclass").await.unwrap(), "3");
}
