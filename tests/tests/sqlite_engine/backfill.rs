//! Changes in batches.

use super::chain::{Draft, chain};
use super::database::{File, impatient, listening};
use migrate_runtime::{Batch, BatchFuture, Database, Error, Event, Migrations, Options, Tx};
use sqlx::Connection as _;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

const URL: &str = "SQLITE_ENGINE_BACKFILL_URL";
const ROWS: u32 = 50_000;
const PASSED: &str = "select coalesce((select rows_passed from _migrate_backfills), -1) as line";

fn base(columns: &str) -> Draft {
    Draft::new("a1", &[]).up(&format!("create table notes ({columns})"))
}

fn counting(columns: &str, size: u32) -> Migrations {
    let backfill = format!("backfill update notes set n = n + 1 in batches of {size}");
    chain(vec![base(columns), Draft::new("b2", &["a1"]).up(&backfill).irreversible("rows")])
}

const INTEGER: &str = "id bigint primary key, n int not null default 0";

/// Small batches, so that there are many moments to be hit.
fn hurried() -> Options {
    Options { batch_target: Duration::from_millis(3), ..impatient() }
}

async fn filled(rows: u32) -> File {
    let file = File::new();
    file.up(chain(vec![base(INTEGER)])).await.unwrap();
    file.execute(&format!(
        "with recursive i (n) as (select 1 union all select n + 1 from i where n < {rows}) insert into notes (id) select n * 3 from i"
    ))
    .await;
    file
}

async fn is_done_once(file: &File, rows: u32) {
    assert_eq!(file.text("select count(*) || ' ' || min(n) || ' ' || max(n) as line from notes").await, format!("{rows} 1 1"));
    assert_eq!(file.text("select count(*) as line from _migrate_backfills").await, "0");
    let journal = file.journal("b2").await;
    assert_eq!(journal.lines().filter(|line| line.contains(" applied ")).count(), 1, "{journal}");
}

#[tokio::test]
async fn keys_of_all_kinds_are_walked_along() {
    for (columns, value) in [
        (INTEGER, "id) select i"),
        ("id uuid primary key, n int not null default 0", "id) select 'it''s ' || hex(randomblob(8))"),
        ("team text, id int, n int not null default 0, primary key (team, id)", "team, id) select 't' || (i % 5), i"),
        ("id bytea primary key, n int not null default 0", "id) select randomblob(12)"),
        ("code text not null unique, n int not null default 0", "code) select 'c' || i"),
    ] {
        let file = File::new();
        file.up(chain(vec![base(columns)])).await.unwrap();
        file.execute(&format!(
            "with recursive c (i) as (select 1 union all select i + 1 from c where i < 300) insert into notes ({value} from c"
        ))
        .await;
        let (options, events) = listening(hurried());
        let summary = Database::new(file.url().as_str()).unwrap().with_options(options).up(counting(columns, 7), None).await.unwrap();
        is_done_once(&file, 300).await;
        let evidence = &summary.revisions[0].operations[0].evidence;
        assert!(evidence.starts_with("300 of 300 rows changed in "), "{columns}: {evidence}");
        let told = events.lock().unwrap().iter().filter(|event| matches!(event, Event::Backfill(_))).count();
        assert!(told > 3, "{columns}: told {told} times");
    }
}

#[tokio::test]
async fn the_statement_is_translated_and_cut_out_of_the_transaction_around_it() {
    let file = filled(100).await;
    let migration = Draft::new("b2", &["a1"])
        .up("alter table notes add column changed_at timestamptz")
        .up("backfill update public.notes set changed_at = now() where id > 30 in batches of 9")
        .up("backfill delete from notes where changed_at is null in batches of 9")
        .up("alter table notes alter column changed_at set not null")
        .irreversible("rows");
    let chain = chain(vec![base(INTEGER), migration]);
    let plan = file.plan(chain).await;
    let planned: Vec<_> = plan.revisions[0].operations.iter().map(|operation| (operation.transaction, operation.batch)).collect();
    assert_eq!(planned, [(Some(1), None), (None, Some(9)), (None, Some(9)), (Some(3), None)]);
    file.up(chain).await.unwrap();
    assert_eq!(file.text("select count(*) || ' ' || min(id) as line from notes").await, "90 33");
}

#[tokio::test]
async fn a_table_without_a_key_is_refused() {
    let file = File::new();
    file.execute("create table notes (id int, n int)").await;
    let external = Draft::new("a1", &[]).if_exists("backfill update notes set n = 1 in batches of 10").irreversible("rows");
    let error = file.up(chain(vec![external])).await.unwrap_err();
    assert!(error.to_string().contains("table `notes` has no key to walk along in batches"), "{error}");
}

/// Not a test of its own: what the others start and kill.
#[tokio::test]
async fn child() {
    let Ok(url) = std::env::var(URL) else { return };
    Database::new(url.as_str()).unwrap().with_options(hurried()).up(counting(INTEGER, 50), None).await.unwrap();
}

fn start(file: &File) -> Child {
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", "backfill::child"]).env(URL, file.url()).stdout(Stdio::null()).stderr(Stdio::null());
    child.spawn().unwrap()
}

#[tokio::test]
async fn a_migrator_that_is_killed_again_and_again_changes_every_row_once() {
    for mode in ["delete", "wal"] {
        let file = filled(ROWS).await;
        file.execute(&format!("pragma journal_mode = {mode}")).await;
        let mut kills = 0;
        loop {
            let mut child = start(&file);
            let before: i64 = file.text(PASSED).await.parse().unwrap();
            let mut ended = false;
            while !ended && file.text(PASSED).await.parse::<i64>().unwrap() <= before.max(0) {
                ended = child.try_wait().unwrap().is_some();
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
            tokio::time::sleep(Duration::from_micros(fastrand::u64(..60_000))).await;
            if ended || child.try_wait().unwrap().is_some() {
                break;
            }
            child.kill().unwrap();
            child.wait().unwrap();
            kills += 1;
        }
        assert!(kills >= 2, "{mode}: killed {kills} times only");
        is_done_once(&file, ROWS).await;
        assert_eq!(file.text("select integrity_check as line from pragma_integrity_check").await, "ok");
    }
}

#[tokio::test]
async fn several_at_once_share_the_batches() {
    let file = filled(3000).await;
    let up = || async { Database::new(file.url().as_str()).unwrap().with_options(hurried()).up(counting(INTEGER, 50), None).await };
    let (one, two, three) = tokio::join!(up(), up(), up());
    for result in [one, two, three] {
        result.unwrap();
    }
    is_done_once(&file, 3000).await;
    assert_eq!(file.text("select state as line from _migrate_revisions where revision = 'b2'").await, "applied");
}

#[tokio::test]
async fn a_writer_in_the_way_is_waited_for() {
    let file = filled(500).await;
    let (options, events) = listening(Options { lock_timeout: Duration::from_millis(30), ..hurried() });
    let mut application = file.connect().await;
    let migrator = Database::new(file.url().as_str()).unwrap().with_options(options);
    let chain = counting(INTEGER, 10);
    let delayed = || events.lock().unwrap().iter().filter(|event| matches!(event, Event::BatchDelayed { .. })).count();
    let begun = || events.lock().unwrap().iter().any(|event| matches!(event, Event::Backfill(progress) if progress.batches > 2));
    let (result, ()) = tokio::join!(migrator.up(chain, None), async {
        while !begun() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        sqlx::raw_sql("pragma busy_timeout = 10000; begin immediate").execute(&mut application).await.unwrap();
        while delayed() < 2 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        sqlx::raw_sql("commit").execute(&mut application).await.unwrap();
    });
    application.close().await.unwrap();
    result.unwrap();
    is_done_once(&file, 500).await;
}

fn step<'a>(tx: &'a mut Tx<'_>, batch: &'a Batch) -> BatchFuture<'a> {
    Box::pin(async move {
        assert!(batch.rows() <= 40 && batch.key().eq(["id"]) && batch.upto().len() == 1);
        tx.execute(&format!("update {} as d set n = n + 1 where {}", batch.table(), batch.condition_as("d"))).await
    })
}

#[tokio::test]
async fn a_rust_step_gets_the_batches() {
    let file = filled(200).await;
    let migration = Draft::new("b2", &["a1"]).run_over("step", step, "notes", 20).irreversible("rows");
    let options = Options { batch_target: Duration::from_nanos(1), ..impatient() };
    Database::new(file.url().as_str()).unwrap().with_options(options).up(chain(vec![base(INTEGER), migration]), None).await.unwrap();
    is_done_once(&file, 200).await;
}

#[tokio::test]
async fn texts_with_nul_characters_are_walked_along() {
    for columns in ["id text primary key, n int not null default 0", "team text, id text, n int not null default 0, primary key (team, id)"]
    {
        let file = File::new();
        file.up(chain(vec![base(columns)])).await.unwrap();
        let team = if columns.starts_with("team") { ("team, ", "'t' || char(0) || (i % 3), ") } else { ("", "") };
        // the last one too
        file.execute(&format!(
            "with recursive c (i) as (select 1 union all select i + 1 from c where i < 300) \
             insert into notes ({}id) select {}case i % 3 when 0 then 'a' when 1 then 'z' || char(0) else 'a' || char(0) end || i from c",
            team.0, team.1
        ))
        .await;
        file.execute(&format!("insert into notes ({}id) select {}'z' || char(0) || 'z' from (select 0 as i)", team.0, team.1)).await;
        Database::new(file.url().as_str()).unwrap().with_options(hurried()).up(counting(columns, 7), None).await.unwrap();
        is_done_once(&file, 301).await;
    }
}

#[tokio::test]
async fn a_key_that_is_computed_is_not_walked_along() {
    let file = File::new();
    file.execute("create table notes (number int not null, twice int not null generated always as (number * 2) stored unique, n int not null default 0)").await;
    let step = || Draft::new("a1", &[]).if_exists("backfill update notes set number = number + 1 in batches of 10").irreversible("rows");
    let error = file.up(chain(vec![step()])).await.unwrap_err();
    assert!(error.to_string().contains("table `notes` has no key to walk along in batches"), "{error}");
}

#[tokio::test]
async fn a_key_that_is_sorted_otherwise_than_it_began_is_refused() {
    let file = filled(200).await;
    file.execute("create trigger stops before update on notes when old.id = 300 begin select raise(abort, 'not this one'); end").await;
    let up = || async { Database::new(file.url().as_str()).unwrap().with_options(hurried()).up(counting(INTEGER, 5), None).await };
    up().await.unwrap_err();
    let sums = "select count(*) || ' ' || min(n) || ' ' || max(n) as line from notes";
    file.execute(
        "drop trigger stops; alter table notes rename to former; \
         create table notes (id text primary key not null, n integer not null default 0); insert into notes select * from former; drop table former",
    )
    .await;
    let error = up().await.unwrap_err();
    let Error::Operation { message, help, .. } = &error else { panic!("{error}") };
    let expected = "the key (id) of `notes`, which the batches go by, is sorted as TEXT collate BINARY now, and was sorted as INTEGER when they began; ";
    assert!(message.starts_with(expected), "{message}");
    let ways: Vec<&str> = help.split('`').filter(|part| part.contains("_migrate_backfills")).collect();
    assert_eq!(file.text(sums).await, "200 0 1", "nothing was done");
    file.execute(&format!("{}; update notes set n = 0", ways[1])).await;
    up().await.unwrap();
    is_done_once(&file, 200).await;
}
