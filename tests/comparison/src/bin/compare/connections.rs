//! Connections that break, and settings that are somebody else's.

use crate::scene::{Cell, Scene, fails, said};
use comparison::application::until;
use comparison::migrations::{Chain, sql};
use comparison::tools::Tool;
use migrate_tests::proxy::{Cut, Proxy};
use migrate_tests::server;
use std::time::Duration;

const ITEMS: &str = "create table items (id int primary key, name text)";

pub async fn lost_answer(tool: Tool) -> Cell {
    let chain = || {
        Chain::on(ITEMS)
            .with([sql("alter table items add column note text"), sql("insert into items values (1, 'a')")])
            .with([sql("insert into items values (2, 'a')")])
    };
    let (mut cuts, mut by_itself) = (0, 0);
    for message in 1.. {
        let scene = Scene::new(tool, chain(), "").await;
        let proxy = Proxy::start(server(), Duration::ZERO).unwrap();
        proxy.cut_at(Cut::BeforeReply(message));
        let ran = scene.project.up(&proxy.url(scene.database.url())).await;
        if proxy.has_planned_cut() {
            break;
        }
        cuts += 1;
        by_itself += u32::from(ran.ok);
        // whoever starts it again does that later
        let alone = "not exists (select from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid())";
        assert!(until(&scene.database, alone).await, "sessions of a dead client");
        if let Cell::Fails(what) = scene.settle(ran, "(select count(*) from items) = 2").await {
            return fails(format!("cut at its message {message}: {what}"));
        }
    }
    Cell::Ok(format!("{cuts} cuts, {by_itself} without another run"))
}

pub async fn timeouts(tool: Tool) -> Cell {
    let chain = Chain::on(ITEMS).with([sql("alter table items add column note text"), sql("select pg_sleep(0.8)")]);
    let scene = Scene::new(tool, chain, "").await;
    for name in ["statement_timeout", "idle_in_transaction_session_timeout"] {
        scene.execute(&format!("alter database {} set {name} = '400ms'", scene.database.name())).await;
    }
    let ran = scene.up().await;
    scene.settle(ran, "exists (select from pg_attribute where attrelid = 'items'::regclass and attname = 'note')").await
}

pub async fn search_path(tool: Tool) -> Cell {
    let chain = Chain::on(ITEMS).with([sql("alter table items add column note text")]);
    let scene = Scene::new(tool, chain, "create schema other; create table other.items (id int primary key);").await;
    scene.execute(&format!("alter database {} set search_path = other, public", scene.database.name())).await;
    let ran = scene.up().await;
    if !ran.ok {
        return fails(said(&ran));
    }
    if scene.holds("exists (select from pg_attribute where attrelid = 'other.items'::regclass and attname = 'note')").await {
        return fails("alters the other table");
    }
    scene.settle(ran, "exists (select from pg_attribute where attrelid = 'public.items'::regclass and attname = 'note')").await
}

pub async fn event_trigger(tool: Tool) -> Cell {
    let chain = Chain::on(ITEMS).with([sql("alter table items add column note text")]);
    let audit = "create schema audit; create table audit.ddl (tag text); \
                 create function audit.note() returns event_trigger language plpgsql as $$ begin insert into ddl values (tg_tag); end $$; \
                 create event trigger note on ddl_command_end execute function audit.note();";
    let scene = Scene::new(tool, chain, "").await;
    scene.execute(&format!("alter database {} set search_path = public, audit", scene.database.name())).await;
    scene.execute(audit).await;
    let ran = scene.up().await;
    scene.settle(ran, "exists (select from audit.ddl where tag = 'ALTER TABLE')").await
}
