//! Rows without the rows that they refer to: those that a migration makes stop it, and those that were there don't.

use super::chain::{Draft, chain};
use super::database::File;
use migrate_runtime::{Database, Migrations, StepFuture, Tx};

fn base() -> Draft {
    Draft::new("a1", &[])
        .up("create table authors (id bigint primary key, name text)")
        .up("create table books (id bigint primary key, author_id bigint references authors (id) on delete cascade, title text)")
}

const REBUILD: &str = "alter table authors alter column name set not null";
const LOST: &str = "pragma foreign_keys = off; insert into authors values (1, 'Sei'), (2, 'Izumi');
     insert into books (id, author_id, title) values (10, 1, 'Pillow'), (11, 2, 'Diary'), (20, 99, 'Lost')";

/// With the pool's keys on, and with them off.
async fn databases(file: &File) -> Vec<(bool, Database)> {
    let mut databases = Vec::new();
    for keys in [true, false] {
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(file.path()).create_if_missing(true).foreign_keys(keys);
        let pool = sqlx::SqlitePool::connect_with(options).await.unwrap();
        databases.push((keys, Database::new(&pool).unwrap()));
    }
    databases
}

fn nothing<'a>(tx: &'a mut Tx<'_>) -> StepFuture<'a> {
    Box::pin(async move { tx.execute("update authors set name = name").await.map(drop) })
}

fn rename_both<'a>(tx: &'a mut Tx<'_>) -> StepFuture<'a> {
    Box::pin(async move {
        tx.execute("alter table books rename to works").await?;
        tx.execute("alter table works rename column author_id to writer").await.map(drop)
    })
}

fn remove_author<'a>(tx: &'a mut Tx<'_>) -> StepFuture<'a> {
    Box::pin(async move { tx.execute("delete from authors where id = 1").await.map(drop) })
}

/// The rest of a migration, with a name for the messages.
fn migrations() -> Vec<(&'static str, Migrations)> {
    let draft = || Draft::new("b2", &["a1"]);
    let whole = |draft: Draft| chain(vec![base(), draft]);
    vec![
        ("rebuild", whole(draft().up(REBUILD))),
        ("run", whole(draft().run("nothing", nothing).up(REBUILD))),
        ("child renamed", whole(draft().up("alter table books rename to works").up(REBUILD))),
        ("key renamed", whole(draft().up("alter table books rename column author_id to writer").up(REBUILD))),
        ("parent renamed", whole(draft().up("alter table authors rename to writers").up("alter table writers alter name set not null"))),
        ("renamed after run", whole(draft().run("nothing", nothing).up("alter table books rename to works").up(REBUILD))),
        ("renamed in run", whole(draft().run("rename_both", rename_both).up(REBUILD))),
        ("renamed in sqlite", whole(draft().sqlite("alter table books rename to works").up(REBUILD))),
        ("child rebuilt", whole(draft().up("alter table books alter column title set default 'x'"))),
        (
            "child renamed and rebuilt",
            whole(draft().up("alter table books rename to works").up("alter table works alter title set default 'x'")),
        ),
        (
            "key made again",
            whole(draft().up("alter table books drop constraint books_author_id_fkey").up(
                "alter table books add constraint books_author_id_fkey foreign key (author_id) references authors (id) on delete cascade",
            )),
        ),
    ]
}

#[tokio::test]
async fn orphans_of_old_are_never_blamed_on_a_migration() {
    for (what, chain) in migrations() {
        let file = File::new();
        for (keys, database) in databases(&file).await {
            let _ = std::fs::remove_file(file.path());
            database.up(chain, Some("a1")).await.unwrap();
            file.execute(LOST).await;
            database.up(chain, None).await.unwrap_or_else(|error| panic!("{what}, keys {keys}: {error}"));
            let table = if file.schema().await.contains("\"works\"") { "works" } else { "books" };
            assert_eq!(
                file.text(&format!("select title as line from {table} order by id")).await,
                "Pillow\nDiary\nLost",
                "{what}, keys {keys}"
            );
            assert_eq!(file.text("select count(*) as line from pragma_foreign_key_check").await, "1", "{what}, keys {keys}");
        }
    }
}

/// They are told apart by the values that they refer to: an old one that goes hides no new one.
#[tokio::test]
async fn new_orphans_are_found_among_old_ones_and_named_alone() {
    let draft = || Draft::new("b2", &["a1"]);
    for (what, migration) in [
        ("before", draft().up("delete from authors where id = 1").up(REBUILD)),
        ("after", draft().up(REBUILD).up("delete from authors where id = 1")),
        ("run", draft().run("remove_author", remove_author).up(REBUILD)),
        ("cleaned", draft().up("delete from books where author_id = 99").up("delete from authors where id = 1").up(REBUILD)),
        ("renamed", draft().up("delete from authors where id = 1").up("alter table books rename to works").up(REBUILD)),
    ] {
        let file = File::new();
        let chain = chain(vec![base(), migration]);
        file.database().up(chain, Some("a1")).await.unwrap();
        file.execute(LOST).await;
        let before = file.schema().await;
        let error = file.up(chain).await.unwrap_err();
        let text = error.to_string();
        assert!(text.contains("1 row of `") && text.contains("rowid 10 (author_id = 1)"), "{what}: {text}");
        assert!(!text.contains("99"), "{what}: {text}");
        assert_eq!(file.schema().await, before, "{what}");
        assert_eq!(file.text("select count(*) as line from authors").await, "2", "{what}");
        assert_eq!(file.text("select count(*) as line from books").await, "3", "{what}");
    }
}

#[tokio::test]
async fn a_second_key_to_the_same_table_names_its_own_orphans_alone() {
    let file = File::new();
    let chain = chain(vec![
        base().up("alter table books add column editor bigint"),
        Draft::new("b2", &["a1"]).up("alter table books add constraint books_editor_fkey foreign key (editor) references authors (id)"),
    ]);
    for (keys, database) in databases(&file).await {
        let _ = std::fs::remove_file(file.path());
        database.up(chain, Some("a1")).await.unwrap();
        file.execute(LOST).await;
        file.execute("update books set editor = 77 where id = 11").await;
        let error = database.up(chain, None).await.unwrap_err();
        let text = error.to_string();
        assert!(text.contains("1 row of `books` without their row in `authors`: rowid 11 (editor = 77)"), "{keys}: {text}");
        assert!(!text.contains("author_id"), "{keys}: {text}");
        file.execute("update books set editor = 1 where id = 11").await;
        database.up(chain, None).await.unwrap();
    }
}

/// SQLite adds a column with a key without a rebuild, and checks nothing where the pool's keys are off.
#[tokio::test]
async fn a_key_that_comes_without_a_rebuild_is_checked_too() {
    let file = File::new();
    for (what, migration) in [
        ("column", "alter table books add column editor bigint references authors (id); update books set editor = 77 where id = 11"),
        (
            "table",
            "create table reviews (id bigint primary key, author_id bigint references authors (id)); insert into reviews values (5, 77)",
        ),
    ] {
        let chain = chain(vec![base(), Draft::new("b2", &["a1"]).up(migration)]);
        for (keys, database) in databases(&file).await {
            let _ = std::fs::remove_file(file.path());
            database.up(chain, Some("a1")).await.unwrap();
            file.execute(LOST).await;
            let before = file.schema().await;
            let error = database.up(chain, None).await.unwrap_err();
            assert!(error.sqlstate().unwrap().starts_with("SQLITE_CONSTRAINT_FOREIGNKEY"), "{what}, {keys}: {error}");
            assert!(keys || error.to_string().contains(" = 77)"), "{what}, {keys}: {error}");
            assert_eq!(file.schema().await, before, "{what}, {keys}");
            file.execute("insert into authors values (77, 'Akazome')").await;
            database.up(chain, None).await.unwrap();
            assert_eq!(file.text("select count(*) as line from books").await, "3", "{what}, {keys}");
        }
    }
}

#[tokio::test]
async fn no_child_is_lost_with_keys_on_or_off() {
    let file = File::new();
    let chain = chain(vec![
        base().up("create table nodes (id bigint primary key, parent bigint references nodes (id) on delete cascade, name text)"),
        Draft::new("b2", &["a1"])
            .up(REBUILD)
            .up("alter table nodes alter column name set default 'x'")
            .up("alter table books alter column title set not null")
            .up("alter table authors rename to writers")
            .up("alter table writers alter column name set default 'nobody'"),
    ]);
    for (keys, database) in databases(&file).await {
        let _ = std::fs::remove_file(file.path());
        database.up(chain, Some("a1")).await.unwrap();
        file.execute(
            "insert into authors values (1, 'Sei'), (2, 'Izumi'); insert into books values (10, 1, 'Pillow'), (11, 2, 'Diary');
             insert into nodes values (1, null, 'a'), (2, 1, 'b'), (3, 2, 'c')",
        )
        .await;
        database.up(chain, None).await.unwrap();
        let rows = "select (select count(*) from writers) || (select count(*) from books) || (select count(*) from nodes) as line";
        assert_eq!(file.text(rows).await, "223", "{keys}");
        database.down(chain, &migrate_runtime::DownTo::Steps(1)).await.unwrap();
        assert_eq!(file.text(&rows.replace("writers", "authors")).await, "223", "{keys}");
        // the keys still do what they say
        file.execute("delete from authors where id = 1; delete from nodes where id = 1").await;
        assert_eq!(file.text(&rows.replace("writers", "authors")).await, "110", "{keys}");
    }
}

/// Rows without a number can only be counted, and keys that SQLite can't check only be left as they are.
#[tokio::test]
async fn tables_that_others_made_are_no_obstacle() {
    let file = File::new();
    let chain = chain(vec![
        base(),
        Draft::new("b2", &["a1"]).up("alter table books rename to works").up(REBUILD),
        Draft::new("c3", &["b2"]).up("delete from authors where id = 1").up("alter table authors alter column name set default 'x'"),
    ]);
    file.database().up(chain, Some("a1")).await.unwrap();
    file.execute(LOST).await;
    file.execute(
        "pragma foreign_keys = off;
         create table links (author integer references AUTHORS (id), \"index\" text, primary key (author, \"index\")) without rowid;
         insert into links values (1, 'a'), (98, 'b');
         create table odd (\"rowid\" text, \"select\" integer references authors (id)); insert into odd values ('x', 97);
         create table mismatched (name text references authors (name)); insert into mismatched values ('Sei');
         create table lost (id integer references nowhere (id)); insert into lost values (1)",
    )
    .await;
    file.database().up(chain, Some("b2")).await.unwrap();
    let error = file.up(chain).await.unwrap_err();
    let text = error.to_string();
    assert!(text.contains("2 rows of `links` without their row in `AUTHORS`, by author; there were 1 of them before"), "{text}");
    assert!(text.contains("1 row of `works` without their row in `authors`: rowid 10 (author_id = 1)"), "{text}");
    assert!(!text.contains("odd") && !text.contains("mismatch") && !text.contains("nowhere"), "{text}");
}
