//! Transactions, savepoints, and what can't be in them.

use crate::scene::{Cell, Scene, fails, ok, said, unprovoked};
use comparison::migrations::{Chain, Statement, if_table, outside, sql};
use comparison::tools::Tool;

pub async fn missing_table(tool: Tool) -> Cell {
    let chain = Chain::default().with([
        sql("create table items (id int primary key)"),
        if_table("events", "create table events (id int primary key)", "alter table events add column note text"),
        sql("alter table items add column note text"),
    ]);
    let scene = Scene::new(tool, chain, "").await;
    let ran = scene.up().await;
    if !ran.ok {
        return fails(said(&ran));
    }
    scene.execute("create table events (id int primary key)").await;
    let ran = scene.up().await;
    let caught_up = scene.holds("exists (select from pg_attribute where attrelid = 'events'::regclass and attname = 'note')").await;
    if ran.ok && caught_up { ok() } else { fails("skipped for good: recorded as done, and the column never comes") }
}

pub async fn subtransactions(tool: Tool) -> Cell {
    let mut chain = Chain::default().with([sql("create table items (id int primary key)")]);
    chain.migrations[0].up = (0..100).map(|number| Statement::Sql(format!("create table t{number} (id int primary key)"))).collect();
    let scene = Scene::new(tool, chain, "").await;
    let ran = scene.up().await;
    if !ran.ok {
        return fails(said(&ran));
    }
    // what a subtransaction has written has its id
    let ids = scene.database.text("select count(distinct xmin::text)::text from pg_class where relname ~ '^t[0-9]+$'").await.unwrap();
    match ids.parse::<usize>().unwrap() {
        1 => Cell::Nothing("no savepoints".to_owned()),
        ids if ids > 64 => fails(format!("{ids} subtransactions")),
        ids => Cell::Ok(format!("{ids} subtransactions")),
    }
}

pub async fn enum_value(tool: Tool) -> Cell {
    let base = "create type status as enum ('draft'); create table items (id int primary key, status status)";
    let chain = Chain::on(base).with([sql("alter type status add value 'done'"), sql("insert into items values (1, 'done')")]);
    let scene = Scene::new(tool, chain, "").await;
    let ran = scene.up().await;
    scene.settle(ran, "exists (select from items where status::text = 'done')").await
}

pub async fn pending_checks(tool: Tool) -> Cell {
    let base = "create table authors (id int primary key);\n\
                create table books (id int primary key, author int references authors deferrable initially deferred)";
    let chain = Chain::on(base).with([
        sql("insert into authors values (1)"),
        sql("insert into books values (1, 1)"),
        sql("alter table books add column title text"),
    ]);
    let scene = Scene::new(tool, chain, "").await;
    let ran = scene.up().await;
    scene.settle(ran, "exists (select from pg_attribute where attrelid = 'books'::regclass and attname = 'title')").await
}

const VALID: &str = "exists (select from pg_index where indisvalid and indexrelid = to_regclass('items_name_idx'))";

pub async fn partial_failure(tool: Tool) -> Cell {
    if !tool.can_leave_transactions() {
        return Cell::Nothing("no `concurrently`".to_owned());
    }
    let chain = Chain::on("create table items (id int primary key, name text)").with([
        sql("alter table items add column note text"),
        outside("create index concurrently items_name_idx on items (name)"),
        sql("alter table items alter column name set not null"),
    ]);
    let scene = Scene::new(tool, chain, "insert into items values (1, null)").await;
    let ran = scene.up().await;
    if let Some(cell) = unprovoked(&ran, &["null values"], "took a null") {
        return cell;
    }
    scene.execute("update items set name = 'a'").await;
    let condition =
        format!("{VALID} and exists (select from pg_attribute where attrelid = 'items'::regclass and attname = 'name' and attnotnull)");
    let cell = scene.settle(ran, &condition).await.without_note();
    if tool.cuts_by_itself() {
        return cell;
    }
    match cell {
        Cell::Ok(_) => Cell::Ok("split into three migrations by hand".to_owned()),
        Cell::Fails(what) => fails(format!("split into three migrations by hand, {what}")),
        cell @ Cell::Nothing(_) => cell,
    }
}

pub async fn invalid_index(tool: Tool) -> Cell {
    if !tool.can_leave_transactions() {
        return Cell::Nothing("no `concurrently`".to_owned());
    }
    let chain = Chain::on("create table items (id int primary key, name text)")
        .with([outside("create unique index concurrently if not exists items_name_idx on items (name)")]);
    let scene = Scene::new(tool, chain, "insert into items values (1, 'a'), (2, 'a')").await;
    let ran = scene.up().await;
    if let Some(cell) = unprovoked(&ran, &["duplicate", "unique"], "took a duplicate") {
        return cell;
    }
    scene.execute("delete from items where id = 2").await;
    let again = scene.up().await;
    match (again.ok, scene.holds(VALID).await) {
        (true, true) => ok(),
        (true, false) => fails("recorded as done, and the index is INVALID"),
        (false, _) => fails(said(&again)),
    }
}
