//! What the journal says of runs and operations, and that one of an older format is brought up to date.

use super::chain::{Draft, chain};
use super::database::{File, impatient, listening};
use migrate_runtime::{Error, Event, Migrations, Options, StepFuture, Tx};
use sqlx::Connection as _;
use std::time::Duration;

/// The tables as the first format had them, and what was added to it later.
const FORMAT_1: &str = include_str!("journal/format_1.sql");
const CURSORS: &str = include_str!("journal/format_1_backfills.sql");

const NAP: Duration = Duration::from_millis(60);

fn nap<'a>(_: &'a mut Tx<'_>) -> StepFuture<'a> {
    Box::pin(async {
        tokio::time::sleep(NAP).await;
        Ok(())
    })
}

fn found() -> Vec<Draft> {
    vec![
        Draft::new("a1", &[])
            .optional("create table events (id bigint primary key)")
            .up("create table first (id bigint primary key)")
            .up("create table there (id bigint primary key)")
            .up("alter table events add column name text")
            .up("insert into first values (1)"),
    ]
}

fn two() -> Migrations {
    chain(vec![
        Draft::new("a1", &[]).up("create table t (id bigint primary key)"),
        Draft::new("b2", &["a1"]).up("alter table t add column note text"),
    ])
}

#[tokio::test]
async fn what_was_found_is_kept_with_what_was_done() {
    let file = File::new();
    file.execute("create table there (id integer not null, constraint there_pkey primary key (id))").await;
    file.up(chain(found())).await.unwrap();
    let latest = "select concat_ws(' ', number, verdict, outcome, evidence) as line from _migrate_latest";
    assert_eq!(
        file.text(latest).await,
        "2 before applied \n3 after satisfied the database has it already, with this definition\n\
         4 absent skipped table events is absent\n5 applied "
    );
    assert_eq!(file.text("select concat_ws(' ', revision, number) as line from _migrate_skipped").await, "a1 4");
    // what is done later has the last word
    file.execute("create table events (id integer not null, constraint events_pkey primary key (id))").await;
    file.up(chain(found())).await.unwrap();
    assert_eq!(
        file.text("select concat_ws(' ', direction, verdict, outcome) as line from _migrate_latest where number = 4").await,
        "replay before applied"
    );
    assert_eq!(file.text("select count(*) as line from _migrate_skipped").await, "0");
}

#[tokio::test]
async fn the_way_back_is_kept_too() {
    let file = File::new();
    file.up(two()).await.unwrap();
    file.down(two(), 2).await.unwrap();
    let log = "select concat_ws(' ', revision, direction, verdict, outcome, command) as line from _migrate_log";
    assert_eq!(
        file.text(log).await,
        "a1 up before applied up\nb2 up before applied up\nb2 down before reverted down\na1 down before reverted down"
    );
}

#[tokio::test]
async fn why_an_operation_was_refused_is_kept() {
    let failed = "select concat_ws(' ', number, direction, verdict, outcome, sqlstate) as line from _migrate_log where outcome = 'failed'";
    let other = File::new();
    other.execute("create table there (id text)").await;
    other.up(chain(found())).await.unwrap_err();
    assert_eq!(other.text(failed).await, "3 up conflict failed");

    let gone = File::new();
    gone.database().up(two(), Some("a1")).await.unwrap();
    gone.execute("drop table t").await;
    gone.up(two()).await.unwrap_err();
    assert_eq!(gone.text(failed).await, "1 up absent failed");

    let wrong = File::new();
    let drafts = vec![Draft::new("a1", &[]).up("create table t (id bigint primary key)").sqlite("insert into nothing values (1)")];
    wrong.up(chain(drafts)).await.unwrap_err();
    assert_eq!(wrong.text(failed).await, "2 up failed SQLITE_ERROR (1)");
    assert_eq!(wrong.text("select sql as line from _migrate_log").await, "insert into nothing values (1)");
    assert_eq!(wrong.text("select count(*) as line from _migrate_latest").await, "0", "a failure is no last word");
}

#[tokio::test]
async fn every_operation_is_timed_as_it_answers() {
    let file = File::new();
    file.execute("create table there (id integer not null, constraint there_pkey primary key (id))").await;
    let drafts = vec![
        Draft::new("a1", &[])
            .up("create table t (id bigint primary key)")
            .run("nap", nap)
            .up("create table there (id bigint primary key)")
            .sqlite(
                "create table numbers as with recursive n (i) as (select 1 union all select i + 1 from n where i < 400000) \
                 select i, hex(randomblob(8)) as text from n; create index numbers_text on numbers (text)",
            )
            .down("drop table there; drop table t"),
    ];
    let chain = chain(drafts);
    let summary = file.up(chain).await.unwrap();
    let reported: Vec<String> = summary.revisions[0].operations.iter().map(|operation| operation.duration_ms.to_string()).collect();
    let journalled = file.text("select coalesce(duration_ms, 0) as line from _migrate_log order by number").await;
    assert_eq!(journalled, reported.join("\n"));
    let durations: Vec<u64> = summary.revisions[0].operations.iter().map(|operation| operation.duration_ms).collect();
    let nap = u64::try_from(NAP.as_millis()).unwrap();
    assert!(durations[1] >= nap && durations[3] > 20, "{durations:?}");
    assert!(durations.iter().sum::<u64>() <= summary.revisions[0].duration_ms, "{durations:?}");
    // what wasn't run took no time, and isn't said to have taken none
    let timed = file.text("select outcome || ' ' || (duration_ms is not null) as line from _migrate_log order by number").await;
    assert_eq!(timed, "applied 1\napplied 1\nsatisfied 0\napplied 1");
    file.down(chain, 1).await.unwrap();
    let timed =
        "select concat_ws(' ', number, sql, outcome, verdict, duration_ms is not null) as line from _migrate_log where direction = 'down'";
    assert_eq!(file.text(timed).await, "1 drop table \"t\" reverted before 1");
}

#[tokio::test]
async fn batches_are_timed_together() {
    let file = File::new();
    let table = Draft::new("a1", &[]).up("create table t (id bigint primary key, note text)");
    let filled = Draft::new("b2", &["a1"])
        .sqlite("with recursive n (i) as (select 1 union all select i + 1 from n where i < 20000) insert into t (id) select i from n");
    let change = Draft::new("c3", &["b2"]).up("backfill update t set note = 'new' in batches of 500");
    let summary = file.up(chain(vec![table, filled, change])).await.unwrap();
    let took = summary.revisions[2].operations[0].duration_ms;
    assert!(took > 0);
    let log = "select concat_ws(' ', outcome, coalesce(duration_ms, 'not timed')) as line from _migrate_log where revision = 'c3'";
    assert_eq!(file.text(log).await, format!("started not timed\napplied {took}"));
}

#[tokio::test]
async fn a_run_says_who_did_it_where() {
    let file = File::new();
    file.up(two()).await.unwrap();
    let program = std::env::current_exe().unwrap().file_stem().unwrap().to_string_lossy().into_owned();
    let run = "select distinct concat_ws(' ', command, process_id, application, tool_version, sqlite_version = sqlite_version()) as line \
               from _migrate_log";
    assert_eq!(file.text(run).await, format!("up {} {program} {} 1", std::process::id(), env!("CARGO_PKG_VERSION")));
    if cfg!(target_os = "linux") {
        let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
        assert_eq!(file.text("select distinct host as line from _migrate_log").await, host.trim());
        assert_ne!(file.text("select distinct os_user as line from _migrate_log").await, "-");
    }
}

#[tokio::test]
async fn a_wait_for_a_lock_is_kept_with_who_had_it() {
    let file = File::new();
    file.execute("create table other (id integer)").await;
    let mut writer = file.connect().await;
    sqlx::raw_sql("begin immediate; insert into other values (1)").execute(&mut writer).await.unwrap();
    let release = async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        writer.close().await.unwrap();
    };
    let (summary, ()) = tokio::join!(file.up(two()), release);
    summary.unwrap();
    let waits = "select concat_ws(' ', revision, waited_for, waited_ms between 400 and 20000) as line from _migrate_waits";
    assert_eq!(file.text(waits).await, "the write lock 1", "of no revision: it was waited for before anything was planned");
    let blockers = file.text("select blockers as line from _migrate_waits").await;
    assert!(blockers.ends_with(&format!("is writing to {}", file.path().display())), "{blockers}");
    if cfg!(target_os = "linux") {
        assert!(blockers.starts_with(&format!("another connection of this process (pid {})", std::process::id())), "{blockers}");
    }
}

#[tokio::test]
async fn a_wait_for_readers_is_kept_with_the_revision() {
    let file = File::new();
    file.database().up(two(), Some("a1")).await.unwrap();
    let mut reader = file.connect().await;
    // the guard's own commit comes first: only what comes after it is to wait
    let (options, events) = listening(impatient());
    let url = file.url();
    let (sender, receiver) = tokio::sync::oneshot::channel();
    let sender = std::sync::Mutex::new(Some(sender));
    let heard = options.observer.clone().unwrap();
    let observer = move |event: &Event| {
        heard(event);
        if matches!(event, Event::Revision { .. })
            && let Some(sender) = sender.lock().unwrap().take()
        {
            sender.send(()).unwrap();
            // long enough for the reader to begin
            std::thread::sleep(Duration::from_millis(300));
        }
    };
    let options = Options { observer: Some(std::sync::Arc::new(observer)), ..options };
    let reading = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async move {
            receiver.await.unwrap();
            let mut connection = sqlx::SqliteConnection::connect(&url).await.unwrap();
            sqlx::raw_sql("begin; select * from t").execute(&mut connection).await.unwrap();
            tokio::time::sleep(Duration::from_millis(900)).await;
            connection.close().await.unwrap();
        });
    });
    sqlx::raw_sql("select 1").execute(&mut reader).await.unwrap();
    reader.close().await.unwrap();
    file.database().with_options(options).up(two(), None).await.unwrap();
    reading.join().unwrap();
    assert!(events.lock().unwrap().iter().any(|event| matches!(event, Event::Retrying { .. })));
    let waits = "select distinct concat_ws(' ', revision, direction, waited_for, waited_ms >= 150) as line from _migrate_waits";
    assert_eq!(file.text(waits).await, "b2 up readers, before the commit 1");
    let blockers = file.text("select distinct blockers like '%is reading%' as line from _migrate_waits").await;
    assert_eq!(blockers, "1");
}

/// Makes a journal of the first format: `t` is there, and a revision says so.
async fn first_format(file: &File, with_cursors: bool) {
    let checksum = two().migrations[0].checksum;
    let cursors = if with_cursors { CURSORS } else { "" };
    file.execute(&format!(
        "create table t (id integer not null, constraint t_pkey primary key (id));
         {FORMAT_1};
         insert into _migrate_runs (command, process_id, tool_version) values ('up', 4711, '0.1.0');
         insert into _migrate_revisions (revision, name, checksum, state, run) values ('a1', 'm_a1', '{checksum}', 'applied', 1);
         insert into _migrate_operations (run, revision, direction, number, operation, outcome, file, line, recorded_at)
             values (1, 'a1', 'up', 1, 'create table `t`', 'failed', 'm_a1.rs', 4, '2026-01-02 03:04:05.678'),
                 (1, 'a1', 'up', 1, 'create table `t`', 'applied', 'm_a1.rs', 4, '2026-01-02 03:04:06.789');
         {cursors}"
    ))
    .await;
}

const SHAPE: &str = "select concat_ws(' ', m.type, m.name, c.name, c.type, c.\"notnull\", c.dflt_value, c.pk) as line
    from sqlite_schema as m left join pragma_table_info(m.name) as c where m.tbl_name like '\\_migrate\\_%' escape '\\' order by 1";

#[tokio::test]
async fn a_journal_of_the_first_format_is_brought_up_to_date() {
    for with_cursors in [false, true] {
        let file = File::new();
        first_format(&file, with_cursors).await;
        let before = std::fs::read(file.path()).unwrap();
        assert_eq!(file.status(two()).await.current()[0].revision, "a1");
        assert_eq!(file.plan(two()).await.revisions.len(), 1);
        assert!(file.database().up(two(), Some("a1")).await.unwrap().revisions.is_empty());
        assert_eq!(std::fs::read(file.path()).unwrap(), before, "what has nothing to do writes nothing");
        file.up(two()).await.unwrap();
        assert_eq!(file.text("select version as line from _migrate_format").await, "3");
        let log = "select concat_ws(' ', run, process_id, revision, number, verdict, outcome, substr(recorded_at, 1, 19) || '') as line
            from _migrate_log where revision = 'a1'";
        assert_eq!(file.text(log).await, "1 4711 a1 1 failed 2026-01-02 03:04:05\n1 4711 a1 1 applied 2026-01-02 03:04:06");
        assert_eq!(
            file.text("select concat_ws(' ', revision, number, verdict, outcome) as line from _migrate_latest").await,
            "a1 1 applied\nb2 1 before applied"
        );
        if with_cursors {
            assert_eq!(file.text("select concat_ws(' ', revision, rows_passed) as line from _migrate_backfills").await, "zz 500");
        }
        // what was brought up to date is what is made anew
        let fresh = File::new();
        fresh.up(two()).await.unwrap();
        assert_eq!(file.text(SHAPE).await, fresh.text(SHAPE).await);
        assert_eq!(file.text("select count(*) as line from pragma_foreign_key_check").await, "0");
        file.down(two(), 2).await.unwrap();
        assert_eq!(file.schema().await, "");
    }
}

#[tokio::test]
async fn the_views_of_the_second_format_are_made_anew() {
    let (file, fresh) = (File::new(), File::new());
    fresh.up(two()).await.unwrap();
    file.database().up(two(), Some("a1")).await.unwrap();
    let outcome = "select revision || ' ' || number || ' ' || outcome as line from _migrate_operations";
    file.execute(&format!(
        "drop view _migrate_skipped; drop view _migrate_latest; create view _migrate_latest as {outcome};
         create view _migrate_skipped as {outcome} where outcome = 'skipped'; update _migrate_format set version = 2"
    ))
    .await;
    file.up(two()).await.unwrap();
    assert_eq!(file.text("select version as line from _migrate_format").await, "3");
    let views = "select sql as line from sqlite_schema where type = 'view' order by name";
    assert_eq!(file.text(views).await, fresh.text(views).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_migrators_bring_it_up_to_date_once() {
    for mode in ["delete", "wal"] {
        let file = File::new();
        file.execute(&format!("pragma journal_mode = {mode}")).await;
        first_format(&file, false).await;
        let patient = Options { guard_wait: Duration::from_mins(1), lock_budget: Duration::from_mins(1), ..impatient() };
        let tasks: Vec<_> = (0..4)
            .map(|_| {
                let database = file.database().with_options(patient.clone());
                tokio::spawn(async move { database.up(two(), None).await })
            })
            .collect();
        for task in tasks {
            task.await.unwrap().unwrap();
        }
        assert_eq!(file.text("select version as line from _migrate_format").await, "3", "{mode}");
        assert_eq!(file.journal("b2").await.lines().count(), 1, "{mode}");
        let fresh = File::new();
        fresh.up(two()).await.unwrap();
        assert_eq!(file.text(SHAPE).await, fresh.text(SHAPE).await, "{mode}");
    }
}

#[tokio::test]
async fn what_stops_half_way_leaves_the_first_format() {
    let file = File::new();
    first_format(&file, false).await;
    file.execute("create table _migrate_log (line text)").await;
    let before = file.text(SHAPE).await;
    let error = file.up(two()).await.unwrap_err();
    assert!(matches!(&error, Error::Server { doing: "bringing the journal up to date", .. }), "{error:?}");
    assert!(error.to_string().contains("_migrate_log already exists"), "{error}");
    assert_eq!(file.text(SHAPE).await, before);
    assert_eq!(file.text("select version as line from _migrate_format").await, "1");
    assert_eq!(file.status(two()).await.pending(), 1);
    file.execute("drop table _migrate_log").await;
    file.up(two()).await.unwrap();
}

#[tokio::test]
async fn a_journal_that_is_up_to_date_is_not_touched() {
    let file = File::new();
    file.up(two()).await.unwrap();
    let version = file.text("select schema_version as line from pragma_schema_version").await;
    let shape = file.text("select sql as line from sqlite_schema").await;
    let drafts = vec![
        Draft::new("a1", &[]).up("create table t (id bigint primary key)"),
        Draft::new("b2", &["a1"]).up("alter table t add column note text"),
        Draft::new("c3", &["b2"]).up("insert into t values (1, 'rows only')"),
    ];
    file.up(chain(drafts)).await.unwrap();
    assert_eq!(file.text("select sql as line from sqlite_schema").await, shape);
    assert_eq!(file.text("select schema_version as line from pragma_schema_version").await, version);
}

#[tokio::test]
async fn a_journal_that_does_not_say_its_format_is_refused() {
    let file = File::new();
    file.up(two()).await.unwrap();
    for (change, problem) in [
        ("update _migrate_format set version = 4", "the journal has format 4, and this binary knows formats up to 3"),
        ("update _migrate_format set version = 0", "the journal has format 0, and this binary knows formats up to 3"),
        ("delete from _migrate_format", "`_migrate_format` is empty, so that nobody knows which format the journal has"),
    ] {
        file.execute(change).await;
        let before = std::fs::read(file.path()).unwrap();
        for error in [file.up(two()).await.unwrap_err(), file.database().status(two()).await.unwrap_err()] {
            assert_eq!((error.exit_code(), error.what().as_str()), (5, problem));
        }
        assert_eq!(std::fs::read(file.path()).unwrap(), before);
    }
}

#[tokio::test]
async fn who_reads_the_journal_in_wal_mode_is_in_nobodys_way() {
    let file = File::new();
    file.execute("pragma journal_mode = wal").await;
    file.database().up(two(), Some("a1")).await.unwrap();
    let mut reader = file.connect().await;
    sqlx::raw_sql("begin; select * from _migrate_log, _migrate_latest, _migrate_skipped").execute(&mut reader).await.unwrap();
    assert_eq!(file.up(two()).await.unwrap().revisions.len(), 1);
    reader.close().await.unwrap();
}
