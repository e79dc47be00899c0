//! Another migrator that comes in at the worst moment: between a plan and its execution.

use super::chain::{Draft, chain};
use super::database::{File, count, impatient};
use migrate_runtime::{Database, DownTo, Event, Migrations, Options, Outcome};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

fn three() -> Migrations {
    chain(vec![
        Draft::new("a1", &[]).up("create table log (line text)").optional("create table extra (id bigint primary key)"),
        Draft::new("b2", &["a1"])
            .up("insert into log values ('b2')")
            .up("alter table extra add column note text")
            .down("alter table extra drop column note; delete from log where line = 'b2'"),
        Draft::new("c3", &["b2"]).up("insert into log values ('c3')").down("delete from log where line = 'c3'"),
    ])
}

/// The database, with something happening once, when work on that revision has been planned.
fn interrupted(file: &File, revision: &'static str, intrusion: impl Fn() + Send + Sync + 'static) -> Database {
    let done = AtomicBool::new(false);
    let observer = move |event: &Event| {
        if matches!(event, Event::Revision { revision: begun, .. } if begun == revision) && !done.swap(true, Ordering::SeqCst) {
            intrusion();
        }
    };
    file.database().with_options(Options { observer: Some(Arc::new(observer)), ..impatient() })
}

/// Does something on a thread of its own, and waits for it.
fn elsewhere<F: Future<Output = ()>>(work: impl FnOnce() -> F + Send) {
    let run = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work());
    std::thread::scope(|scope| scope.spawn(run).join()).unwrap();
}

#[tokio::test]
async fn what_another_has_done_meanwhile_is_not_done_again() {
    let file = File::new();
    let url = file.url();
    let other = move || elsewhere(async || drop(Database::new(url.as_str()).unwrap().up(three(), None).await.unwrap()));
    let summary = interrupted(&file, "a1", other).up(three(), None).await.unwrap();
    assert!(summary.revisions.is_empty());
    assert_eq!(summary.current[0].revision, "c3");
    assert_eq!(file.text("select line from log").await, "b2\nc3");
    assert_eq!(file.text("select count(*) as line from _migrate_operations where outcome = 'applied'").await, "3");
}

#[tokio::test]
async fn the_rest_is_done_where_another_has_done_a_part() {
    let file = File::new();
    let url = file.url();
    let other = move || elsewhere(async || drop(Database::new(url.as_str()).unwrap().up(three(), Some("b2")).await.unwrap()));
    let summary = interrupted(&file, "b2", other).up(three(), None).await.unwrap();
    let revisions: Vec<_> = summary.revisions.iter().map(|report| report.revision.as_str()).collect();
    assert_eq!(revisions, ["a1", "c3"]);
    assert_eq!(file.text("select line from log").await, "b2\nc3");
}

#[tokio::test]
async fn a_replay_that_another_has_done_stays_applied() {
    let file = File::new();
    file.up(three()).await.unwrap();
    file.execute("create table extra (id integer not null, constraint extra_pkey primary key (id))").await;
    let url = file.url();
    let other = move || elsewhere(async || drop(Database::new(url.as_str()).unwrap().up(three(), None).await.unwrap()));
    let summary = interrupted(&file, "b2", other).up(three(), None).await.unwrap();
    assert_eq!(count(&summary, Outcome::Satisfied), 0);
    assert_eq!(file.journal("b2").await.lines().filter(|line| line.starts_with("2 applied")).count(), 1);
    // so down reverses it
    file.down(three(), 2).await.unwrap();
    assert_eq!(file.text("select name as line from pragma_table_info('extra')").await, "id");
}

#[tokio::test]
async fn two_steps_down_at_once_are_two_steps() {
    let file = File::new();
    file.up(three()).await.unwrap();
    let url = file.url();
    let other = move || elsewhere(async || drop(Database::new(url.as_str()).unwrap().down(three(), &DownTo::Steps(1)).await.unwrap()));
    interrupted(&file, "c3", other).down(three(), &DownTo::Steps(1)).await.unwrap();
    assert_eq!(file.text("select revision as line from _migrate_revisions").await, "a1");
    assert_eq!(file.journal("c3").await.lines().filter(|line| line.contains("reverted")).count(), 1);
}

#[tokio::test]
async fn a_change_of_the_schema_is_planned_for_anew() {
    let file = File::new();
    file.database().up(three(), Some("a1")).await.unwrap();
    let url = file.url();
    let other = move || {
        elsewhere(async || {
            let sql = "create table extra (id integer not null, constraint extra_pkey primary key (id))";
            let mut connection = <sqlx::SqliteConnection as sqlx::Connection>::connect(&url).await.unwrap();
            sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
        });
    };
    let summary = interrupted(&file, "b2", other).up(three(), None).await.unwrap();
    assert_eq!(count(&summary, Outcome::Skipped), 0);
    assert_eq!(file.text("select name as line from pragma_table_info('extra')").await, "id\nnote");
}

#[tokio::test]
async fn rows_of_the_application_do_not_disturb() {
    let file = File::new();
    file.database().up(three(), Some("a1")).await.unwrap();
    let url = file.url();
    let told = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let times = Arc::clone(&told);
    let observer = move |event: &Event| {
        if matches!(event, Event::Revision { .. }) {
            times.fetch_add(1, Ordering::SeqCst);
            elsewhere(async || {
                let mut connection = <sqlx::SqliteConnection as sqlx::Connection>::connect(&url).await.unwrap();
                sqlx::raw_sql("insert into log values ('app')").execute(&mut connection).await.unwrap();
            });
        }
    };
    let database = file.database().with_options(Options { observer: Some(Arc::new(observer)), ..impatient() });
    database.up(three(), None).await.unwrap();
    assert_eq!(file.text("select line from log").await, "app\nb2\napp\nc3");
    assert_eq!(told.load(Ordering::SeqCst), 2, "no revision was planned twice");
}

/// What was begun with foreign keys off for a rebuild that another has done meanwhile isn't gone on with so: keys cascade.
#[tokio::test]
async fn keys_are_on_again_where_another_has_done_the_rebuild() {
    let chain = chain(vec![
        Draft::new("a1", &[])
            .up("create table authors (id bigint primary key, name text)")
            .up("create table books (id bigint primary key, author_id bigint references authors (id) on delete cascade)"),
        Draft::new("b2", &["a1"]).up("alter table authors alter column name set not null"),
        Draft::new("c3", &["b2"]).up("delete from authors where id = 1"),
    ]);
    let file = File::new();
    file.database().up(chain, Some("a1")).await.unwrap();
    file.execute("insert into authors values (1, 'Sei'), (2, 'Izumi'); insert into books values (10, 1), (20, 2)").await;
    let url = file.url();
    let other = move || elsewhere(async || drop(Database::new(url.as_str()).unwrap().up(chain, Some("b2")).await.unwrap()));
    interrupted(&file, "b2", other).up(chain, None).await.unwrap();
    assert_eq!(file.text("select id as line from books").await, "20");
    assert_eq!(file.text("select count(*) as line from _migrate_operations where revision = 'b2'").await, "1");
}
