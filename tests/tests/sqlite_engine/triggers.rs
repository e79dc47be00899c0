//! Triggers of tables that are renamed and built anew: none is lost, and none looks for what isn't there any more.

use super::chain::{Draft, chain};
use super::database::File;
use migrate_runtime::{Migrations, StepFuture, Tx};

const AUTHORS: &str = "create table authors (id bigint primary key, name text, born integer)";
const LOG: &str = "create table log (line text)";
const NOTED: &str = "create trigger noted after insert on authors begin insert into log values (new.name); end";

fn base() -> Draft {
    Draft::new("a1", &[]).up(AUTHORS).up(LOG)
}

/// The trigger is there, and does its work.
async fn assert_noted(file: &File, insert: &str, line: &str) {
    file.execute(insert).await;
    assert_eq!(file.text("select line from log").await, line, "{insert}");
}

fn make_trigger<'a>(tx: &'a mut Tx<'_>) -> StepFuture<'a> {
    Box::pin(async move { tx.execute(NOTED).await.map(drop) })
}

fn make_column<'a>(tx: &'a mut Tx<'_>) -> StepFuture<'a> {
    Box::pin(async move {
        tx.execute("alter table authors add column remark text").await?;
        tx.execute("update authors set remark = 'kept'").await?;
        tx.execute("create index authors_remark on authors (remark)").await.map(drop)
    })
}

#[tokio::test]
async fn a_trigger_made_in_the_same_migration_survives() {
    let draft = || Draft::new("b2", &["a1"]);
    for (how, made) in [("sqlite", draft().sqlite(NOTED)), ("run", draft().run("make_trigger", make_trigger))] {
        let file = File::new();
        let migration = made.up("alter table authors alter column born type text");
        file.up(chain(vec![base(), migration])).await.unwrap();
        assert_noted(&file, "insert into authors values (1, 'Sei', '966')", "Sei").await;
        assert_eq!(file.text("select name as line from sqlite_schema where type = 'trigger'").await, "noted", "{how}");
    }
}

#[tokio::test]
async fn a_trigger_made_before_a_rename_in_the_same_migration_survives() {
    let file = File::new();
    let migration = Draft::new("b2", &["a1"])
        .sqlite(NOTED)
        .up("alter table authors rename to writers")
        .up("alter table writers rename column name to called")
        .up("alter table writers alter column born type text");
    file.up(chain(vec![base(), migration])).await.unwrap();
    assert_noted(&file, "insert into writers values (1, 'Sei', '966')", "Sei").await;
}

/// What a Rust step has made is data, and no rebuild may lose it.
#[tokio::test]
async fn a_column_made_in_the_same_migration_survives() {
    let file = File::new();
    let migration = Draft::new("b2", &["a1"]).run("make_column", make_column).up("alter table authors alter column born type text");
    let chain = chain(vec![base(), migration]);
    file.database().up(chain, Some("a1")).await.unwrap();
    file.execute("insert into authors values (1, 'Sei', 966)").await;
    file.up(chain).await.unwrap();
    assert_eq!(file.text("select remark || born as line from authors").await, "kept966");
    assert!(file.schema().await.contains("authors_remark"));
}

fn genres(more: impl FnOnce(Draft) -> Draft) -> Migrations {
    chain(vec![
        Draft::new("a1", &[])
            .up("create type genre as enum ('novel', 'essay')")
            .up("create table books (id bigint primary key, kind genre not null default 'novel')")
            .up("create view kinds as select kind from books")
            .up(LOG),
        more(Draft::new("b2", &["a1"])),
    ])
}

/// The check of an enum's column is named like it: so this rename is a rebuild as well.
#[tokio::test]
async fn a_rename_that_is_a_rebuild_keeps_triggers_right() {
    let file = File::new();
    let chain = genres(|draft| draft.up("alter table books rename column kind to genre"));
    file.database().up(chain, Some("a1")).await.unwrap();
    file.execute(
        "create trigger noted after insert on books when new.kind <> 'essay' begin insert into log values (new.kind); end;
         insert into books values (1, 'essay')",
    )
    .await;
    file.up(chain).await.unwrap();
    assert_noted(&file, "insert into books (id) values (2)", "novel").await;
    assert_eq!(file.text("select genre as line from books order by id").await, "essay\nnovel");
    assert_eq!(file.database().check(chain).await.unwrap().drift, Vec::<String>::new());
    let fresh = File::new();
    fresh.up(chain).await.unwrap();
    let table = "select sql as line from sqlite_schema where name = 'books'";
    assert_eq!(file.text(table).await, fresh.text(table).await);

    file.down(chain, 1).await.unwrap();
    file.execute("insert into books (id, kind) values (3, 'novel')").await;
    assert_eq!(file.text("select line from log").await, "novel\nnovel");
}

#[tokio::test]
async fn a_table_whose_trigger_spells_it_otherwise_keeps_it() {
    let file = File::new();
    let chain = chain(vec![base(), Draft::new("b2", &["a1"]).up("alter table authors alter column born type text")]);
    file.database().up(chain, Some("a1")).await.unwrap();
    file.execute("create trigger noted after insert on AUTHORS begin insert into log values (new.name); end").await;
    file.up(chain).await.unwrap();
    assert_noted(&file, "insert into authors values (1, 'Sei', '966')", "Sei").await;
}

#[tokio::test]
async fn triggers_that_a_change_would_break_stop_it() {
    for migration in ["alter table authors drop column name", "alter table authors drop column name, alter column born type text"] {
        let file = File::new();
        // a column with a key is dropped by a rebuild
        let tables = "create table authors (id bigint primary key, name text unique, born integer)";
        let chain = chain(vec![Draft::new("a1", &[]).up(tables).up(LOG), Draft::new("b2", &["a1"]).up(migration)]);
        file.database().up(chain, Some("a1")).await.unwrap();
        file.execute(NOTED).await;
        let before = file.schema().await;
        let error = file.up(chain).await.unwrap_err();
        let text = error.to_string();
        assert!(text.contains("`noted`") && text.contains("no such column: new.name"), "{text}");
        assert_eq!(file.schema().await, before);
        file.execute("drop trigger noted").await;
        file.up(chain).await.unwrap();
    }
}

/// A trigger that doesn't work to begin with is none of a rebuild's business.
#[tokio::test]
async fn a_trigger_that_was_broken_before_is_kept_as_it_is() {
    let file = File::new();
    let chain = chain(vec![base(), Draft::new("b2", &["a1"]).up("alter table authors alter column born type text")]);
    file.database().up(chain, Some("a1")).await.unwrap();
    file.execute("create trigger broken after insert on authors begin insert into nowhere values (new.name); end").await;
    file.up(chain).await.unwrap();
    assert_eq!(file.text("select name as line from sqlite_schema where type = 'trigger'").await, "broken");
}

fn titles(migration: &str) -> Migrations {
    chain(vec![
        Draft::new("a1", &[])
            .up("create table books (id bigint primary key, title text, pages integer)")
            .up("create view titles as select title from books")
            .up(LOG),
        Draft::new("b2", &["a1"]).up(migration),
    ])
}

/// A view is dropped and made again, and its triggers with it: what they say can't be changed by anybody but their author.
#[tokio::test]
async fn triggers_of_views_are_kept_or_the_change_is_refused() {
    let added = "create trigger added instead of insert on titles begin insert into books (title) values (new.title); end";
    for (migration, kept) in [
        ("alter table books rename column pages to size", true),
        ("create or replace view titles as select title, id from books", true),
        ("alter table books rename column title to called", false),
        ("alter view titles rename to names", false),
    ] {
        let file = File::new();
        let chain = titles(migration);
        file.database().up(chain, Some("a1")).await.unwrap();
        file.execute(added).await;
        let before = file.schema().await;
        match file.up(chain).await {
            Ok(_) if kept => {
                file.execute("insert into titles (title) values ('Genji')").await;
                assert_eq!(file.text("select title as line from books").await, "Genji", "{migration}");
            }
            Err(error) if !kept => {
                let text = error.to_string();
                assert!(text.contains("`titles`") && text.contains("`added`"), "{migration}: {text}");
                assert_eq!(file.schema().await, before, "{migration}");
                file.execute("drop trigger added").await;
                file.up(chain).await.unwrap();
            }
            other => panic!("{migration}: {other:?}"),
        }
    }
}

/// So an application may have it: then SQLite doesn't follow a rename in triggers and keys, unless it is switched off.
#[tokio::test]
async fn renames_are_followed_in_a_pool_with_the_old_way_of_renaming() {
    let file = File::new();
    let chain = chain(vec![
        base().up("create table books (id bigint primary key, author_id bigint references authors (id) on delete cascade)"),
        Draft::new("b2", &["a1"]).up("alter table authors rename to writers"),
    ]);
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(file.path()).create_if_missing(true);
    for keys in [true, false] {
        let options = options.clone().pragma("legacy_alter_table", "on").foreign_keys(keys);
        let pool = sqlx::SqlitePool::connect_with(options).await.unwrap();
        let database = migrate_runtime::Database::new(&pool).unwrap();
        database.up(chain, Some("a1")).await.unwrap();
        file.execute("create trigger noted after insert on authors begin update authors set born = 1; end").await;
        database.up(chain, None).await.unwrap();
        file.execute("insert into writers values (1, 'Sei', 966); delete from writers").await;
        assert_eq!(file.text("select \"table\" as line from pragma_foreign_key_list('books')").await, "writers");
        database.down(chain, &migrate_runtime::DownTo::Base).await.unwrap();
    }
}
