//! Locks, of the application and of migrators among themselves.

use crate::scene::{Cell, Scene, fails, ok, said, unprovoked};
use comparison::application::{until, worst_stall};
use comparison::migrations::{Chain, outside, sql};
use comparison::tools::{Tool, finish};
use migrate_tests::pgbouncer::PgBouncer;
use migrate_tests::server;
use sqlx::{Connection as _, Executor as _};
use std::time::Duration;

const ITEMS: &str = "create table items (id int primary key, name text)";

/// Somebody waits for a table.
const WAITS: &str = "exists (select from pg_locks where locktype = 'relation' and not granted \
                     and database = (select oid from pg_database where datname = current_database()))";

/// How long an application may wait.
const BEARABLE: Duration = Duration::from_secs(1);

fn noted() -> &'static str {
    "exists (select from pg_attribute where attrelid = 'items'::regclass and attname = 'note')"
}

fn stalled(cell: Cell, worst: Duration) -> Cell {
    match cell {
        Cell::Ok(_) if worst > BEARABLE => fails(format!("the application waits {:.1} s", worst.as_secs_f64())),
        Cell::Ok(note) => Cell::Ok(
            [format!("waits {:.1} s", worst.as_secs_f64()), note]
                .into_iter()
                .filter(|text| !text.is_empty())
                .collect::<Vec<_>>()
                .join(", "),
        ),
        cell => cell,
    }
}

pub async fn queue(tool: Tool) -> Cell {
    let scene = Scene::new(tool, Chain::on(ITEMS).with([sql("alter table items add column note text")]), "").await;
    let mut connection = scene.database.connect().await;
    let mut report = connection.begin().await.unwrap();
    report.execute("select count(*) from items").await.unwrap();
    let child = scene.project.start(scene.database.url());
    let work = Box::pin(async {
        let (ran, ()) = tokio::join!(finish(child), async {
            // tools take their time until they begin
            until(&scene.database, WAITS).await;
            tokio::time::sleep(Duration::from_secs(4)).await;
            report.rollback().await.unwrap();
        });
        ran
    });
    let (ran, worst) = worst_stall(&scene.database, "select count(*) from items", work).await;
    stalled(scene.settle(ran, noted()).await, worst)
}

pub async fn deadlock(tool: Tool) -> Cell {
    let base = "create table first (id int primary key);\ncreate table items (id int primary key)";
    let chain = Chain::on(base).with([sql("alter table first add column note text"), sql("alter table items add column note text")]);
    let scene = Scene::new(tool, chain, "").await;
    let mut connection = scene.database.connect().await;
    // whoever looks first is the victim: the application never looks
    connection.execute("set deadlock_timeout = '10min'").await.unwrap();
    let mut transaction = connection.begin().await.unwrap();
    transaction.execute("insert into items values (1)").await.unwrap();
    let child = scene.project.start(scene.database.url());
    let waits =
        "exists (select from pg_locks where not granted and database = (select oid from pg_database where datname = current_database()))";
    if !until(&scene.database, waits).await {
        return fails("it never waited");
    }
    let ((), ran) = tokio::join!(
        async {
            transaction.execute("insert into first values (1)").await.unwrap();
            transaction.commit().await.unwrap();
        },
        finish(child)
    );
    scene.settle(ran, noted()).await
}

pub async fn held_to_the_end(tool: Tool) -> Cell {
    let chain = Chain::on(ITEMS).with([sql("alter table items add column note text"), sql("select pg_sleep(2)")]);
    let scene = Scene::new(tool, chain, "").await;
    let child = scene.project.start(scene.database.url());
    let (ran, worst) = worst_stall(&scene.database, "select count(*) from items", finish(child)).await;
    stalled(scene.settle(ran, noted()).await, worst)
}

pub async fn update_under_lock(tool: Tool) -> Cell {
    let base = format!("{ITEMS};\ncreate table events (id int primary key, name text)");
    let chain = Chain::on(&base).with([sql("alter table items add column note text"), sql("update events set name = upper(name)")]);
    let rows = "insert into events select i, 'event' || repeat(' ' || md5(i::text), 4) from generate_series(1, 500000) as i";
    let scene = Scene::new(tool, chain, rows).await;
    scene.execute("vacuum analyze events").await;
    assert!(scene.holds("pg_relation_size('events') > 80 * 1024 * 1024").await, "not a large table");
    let child = scene.project.start(scene.database.url());
    let (ran, worst) = worst_stall(&scene.database, "select count(*) from items", finish(child)).await;
    let done = format!("{} and not exists (select from events where name like 'event%')", noted());
    stalled(scene.settle(ran, &done).await, worst)
}

pub async fn scan_under_lock(tool: Tool) -> Cell {
    let check = "name ~ '^(item|thing)( [0-9a-f]{32})+$'";
    let rows = "insert into items select i, 'item' || repeat(' ' || md5(i::text), 4) from generate_series(1, 500000) as i";
    let chain = Chain::on(ITEMS).with([sql(&format!("alter table items add constraint items_name_check check ({check})"))]);
    let scene = Scene::new(tool, chain, rows).await;
    // otherwise the server would do it meanwhile
    scene.execute("vacuum analyze items").await;
    assert!(scene.holds("pg_relation_size('items') > 80 * 1024 * 1024").await, "not a large table");
    let child = scene.project.start(scene.database.url());
    let statements = "update items set name = name where id = 1; select from items where id = 2";
    let (ran, worst) = worst_stall(&scene.database, statements, finish(child)).await;
    stalled(scene.settle(ran, "exists (select from pg_constraint where conname = 'items_name_check' and convalidated)").await, worst)
}

pub async fn together(tool: Tool) -> Cell {
    let chain = Chain::default()
        .with([sql("create table items (id int primary key, name text)"), sql("insert into items values (1, 'a')")])
        .with([sql("alter table items add column note text"), sql("select pg_sleep(0.3)")]);
    let scene = Scene::new(tool, chain, "").await;
    let children: Vec<_> = (0..8).map(|_| scene.project.start(scene.database.url())).collect();
    let mut failed = Vec::new();
    for child in children {
        let ran = finish(child).await;
        if !ran.ok {
            failed.push(said(&ran));
        }
    }
    let done = scene.holds(&format!("{} and (select count(*) from items) = 1", noted())).await && scene.is_recorded().await;
    match (failed.first(), done) {
        (None, true) => ok(),
        (None, false) => fails("not done once"),
        (Some(first), _) => fails(format!("{} of 8 fail: {first}", failed.len())),
    }
}

const ADVISORY: &str = "not exists (select from pg_locks where locktype = 'advisory' \
                        and database = (select oid from pg_database where datname = current_database()))";

pub async fn leaked_lock(tool: Tool) -> Cell {
    let bouncer = PgBouncer::start(server(), 4);
    let chain = Chain::on(ITEMS).with([sql("alter table items add column note text")]).with([sql("insert into items values (1, 'a')")]);
    let scene = Scene::new(tool, chain, "insert into items values (1, 'b')").await;
    let url = bouncer.url(scene.database.url());
    let ran = scene.project.up(&url).await;
    if let Some(cell) = unprovoked(&ran, &["duplicate"], "took a duplicate") {
        return cell;
    }
    if !until(&scene.database, ADVISORY).await {
        return fails("its lock stays with the pooler's session");
    }
    scene.execute("delete from items").await;
    scene.settle_at(&url, ran, "exists (select from items where name = 'a')").await.without_note()
}

pub async fn pooler(tool: Tool) -> Cell {
    let bouncer = PgBouncer::start(server(), 4);
    let chain =
        Chain::on(ITEMS).with([sql("alter table items add column note text")]).with([sql("create index items_note_idx on items (note)")]);
    let scene = Scene::new(tool, chain, "").await;
    let url = bouncer.url(scene.database.url());
    let first = scene.project.up(&url).await;
    let second = scene.project.up(&url).await;
    if !(first.ok && second.ok) {
        return fails(said(if first.ok { &second } else { &first }));
    }
    if !until(&scene.database, ADVISORY).await {
        return fails("its lock stays with the pooler's session");
    }
    scene.settle_at(&url, second, noted()).await
}

pub async fn concurrently(tool: Tool) -> Cell {
    if !tool.can_leave_transactions() {
        return Cell::Nothing("no `concurrently`".to_owned());
    }
    let chain = Chain::on(ITEMS)
        .with([sql("insert into items select i, i from generate_series(1, 20000) as i"), sql("select pg_sleep(1)")])
        .with([outside("create index concurrently items_name_idx on items (name)")]);
    let scene = Scene::new(tool, chain, "").await;
    let children: Vec<_> = (0..2).map(|_| scene.project.start(scene.database.url())).collect();
    let mut failed = None;
    for child in children {
        let ran = finish(child).await;
        if !ran.ok {
            failed = Some(said(&ran));
        }
    }
    let valid = scene.holds("exists (select from pg_index where indisvalid and indexrelid = to_regclass('items_name_idx'))").await;
    match failed {
        None if valid && scene.is_recorded().await => ok(),
        Some(what) if valid => fails(format!("one of two: {what}")),
        Some(what) => fails(format!("{what}; the index is INVALID or missing")),
        None => fails("the index is INVALID or missing"),
    }
}
