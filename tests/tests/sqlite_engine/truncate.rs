//! `truncate`, which SQLite hasn't got: all rows of the tables that it names go, and no others.

use super::chain::{Draft, chain};
use super::database::File;
use migrate_runtime::Migrations;

fn library(migration: &str) -> Migrations {
    chain(vec![
        Draft::new("a1", &[])
            .up("create table authors (id bigint primary key, name text)")
            .up("create table books (id bigint primary key, author_id bigint references authors (id) on delete cascade)")
            .up("create table pages (id bigint primary key, book_id bigint references books (id))")
            .up("create table nodes (id bigint primary key, parent bigint references nodes (id))"),
        Draft::new("b2", &["a1"]).up(migration),
    ])
}

const ROWS: &str = "insert into authors values (1, 'Sei'); insert into books values (10, 1); insert into pages values (100, 10);
     insert into nodes values (1, null), (2, 1)";
const COUNTS: &str = "select (select count(*) from authors) || (select count(*) from books) || (select count(*) from pages)
     || (select count(*) from nodes) as line";

#[tokio::test]
async fn a_table_that_others_refer_to_is_refused() {
    for (migration, child, parent) in [
        ("truncate authors", "books", "authors"),
        ("truncate authors, books", "pages", "books"),
        ("truncate pages, authors", "books", "authors"),
    ] {
        let file = File::new();
        let chain = library(migration);
        file.database().up(chain, Some("a1")).await.unwrap();
        file.execute(ROWS).await;
        let error = file.up(chain).await.unwrap_err();
        let text = error.to_string();
        assert!(text.contains(&format!("`{child}`")) && text.contains(&format!("`{parent}`")), "{migration}: {text}");
        assert_eq!(file.text(COUNTS).await, "1112", "{migration}");
    }
}

#[tokio::test]
async fn a_key_that_only_the_database_knows_counts() {
    let file = File::new();
    let chain = library("truncate pages");
    file.database().up(chain, Some("a1")).await.unwrap();
    file.execute("create table notes (id integer, page integer references PAGES (id) on delete cascade)").await;
    file.execute(ROWS).await;
    file.execute("insert into notes values (1, 100)").await;
    let error = file.up(chain).await.unwrap_err();
    assert!(error.to_string().contains("`notes`"), "{error}");
    assert_eq!(file.text("select count(*) as line from notes").await, "1");
}

#[tokio::test]
async fn tables_that_refer_to_each_other_are_emptied_together() {
    for (migration, left) in [
        ("truncate pages", "1102"),
        ("truncate nodes", "1110"),
        ("truncate authors, books, pages", "0002"),
        ("truncate pages, authors, nodes, books", "0000"),
    ] {
        let file = File::new();
        let chain = library(migration);
        file.database().up(chain, Some("a1")).await.unwrap();
        file.execute(ROWS).await;
        file.up(chain).await.unwrap();
        assert_eq!(file.text(COUNTS).await, left, "{migration}");
    }
}

/// PostgreSQL fires no trigger for each row there.
#[tokio::test]
async fn a_trigger_that_would_fire_is_refused() {
    let file = File::new();
    let chain = library("truncate pages");
    file.database().up(chain, Some("a1")).await.unwrap();
    file.execute(ROWS).await;
    file.execute("create trigger torn after delete on pages begin delete from nodes; end").await;
    let error = file.up(chain).await.unwrap_err();
    assert!(error.to_string().contains("`torn`"), "{error}");
    assert_eq!(file.text(COUNTS).await, "1112");
    file.execute("drop trigger torn; create trigger torn after insert on pages begin delete from nodes; end").await;
    file.up(chain).await.unwrap();
    assert_eq!(file.text(COUNTS).await, "1102");
}
