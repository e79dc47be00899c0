//! History: another order, another layout, and the way back.

use crate::scene::{Cell, Scene, fails, mentions, ok, said};
use comparison::migrations::{Chain, Migration, sql};
use comparison::tools::Tool;

const ITEMS: &str = "create table items (id int primary key, name text)";

/// How tools call an applied migration that isn't what it was.
const CHANGED: &[&str] = &["different", "changed", "modified", "checksum"];

pub async fn late_branch(tool: Tool) -> Cell {
    let chain = Chain::default()
        .with([sql(ITEMS)])
        .with([sql("alter table items add column late text")])
        .with([sql("alter table items add column early text")]);
    let mut whole = chain.clone();
    let mut first = chain;
    first.migrations.remove(1);
    first.migrations[1].after = vec![1];
    let mut scene = Scene::new(tool, first, "").await;
    let ran = scene.up().await;
    if !ran.ok {
        return fails(said(&ran));
    }
    whole.migrations[2].after = vec![1];
    if tool.wants_merges() {
        let up = vec![sql("create index items_name_idx on items (name)")];
        whole.migrations.push(Migration { number: 4, after: vec![2, 3], up, down: Vec::new() });
    }
    scene.chain = whole;
    scene.project.rewrite(&scene.chain);
    let ran = scene.up().await;
    let note = if tool.wants_merges() { "behind a merge that says so" } else { "" };
    match scene.settle(ran, "exists (select from pg_attribute where attrelid = 'items'::regclass and attname = 'late')").await {
        Cell::Ok(_) => Cell::Ok(note.to_owned()),
        cell => cell,
    }
}

pub async fn layout(tool: Tool) -> Cell {
    let scene = Scene::new(tool, Chain::default().with([sql(ITEMS)]), "").await;
    let ran = scene.up().await;
    if !ran.ok {
        return fails(said(&ran));
    }
    scene.project.reformat();
    let ran = scene.up().await;
    if !ran.ok {
        return fails(if mentions(&ran, CHANGED) { "refuses a comment and new line endings".to_owned() } else { said(&ran) });
    }
    scene.project.rewrite(&Chain::default().with([sql("create table items (id int primary key, name varchar(50))")]));
    let ran = scene.up().await;
    match (ran.ok, mentions(&ran, CHANGED)) {
        (false, true) => ok(),
        (false, false) => fails(said(&ran)),
        (true, true) => fails("mentions both, and refuses neither"),
        (true, false) => fails("takes a real change for none"),
    }
}

pub async fn way_back(tool: Tool) -> Cell {
    if tool == Tool::Refinery {
        return Cell::Nothing("no way back".to_owned());
    }
    let mut chain = Chain::default()
        .with([sql("create table made (id int primary key)")])
        .with([sql("create table if not exists found (id int primary key)"), sql("create table new (id int primary key)")]);
    chain.migrations[0].down = vec!["drop table made".to_owned()];
    chain.migrations[1].down = vec!["drop table new".to_owned(), "drop table found".to_owned()];
    let scene = Scene::new(tool, chain, "create table found (id int primary key); insert into found values (1)").await;
    let (up, down) = (scene.up().await, scene.project.down(scene.database.url()).await);
    if !(up.ok && down.ok) {
        return fails(said(if up.ok { &down } else { &up }));
    }
    if !scene.holds("to_regclass('new') is null and to_regclass('made') is not null").await {
        return fails("goes back otherwise than one step");
    }
    if scene.holds("to_regclass('found') is null").await { fails("drops what was there before, and its rows") } else { ok() }
}
