//! Rebuilds lose nothing.

use super::database::{Database, Failure};
use migrate_core::sqlite::SqliteStep;

const BASE: &str = "
    create table organizations (id bigserial primary key, name text not null);
    create table documents (
        id bigserial primary key,
        organization bigint not null references organizations on delete cascade,
        title text,
        parent bigint references documents on delete set null
    );
    create table comments (id bigserial primary key, document bigint not null references documents on delete cascade, body text);
";

async fn filled() -> Database {
    let mut database = Database::with(BASE).await;
    database
        .run(
            "insert into organizations (name) values ('a'), ('b'), ('c'); delete from organizations where id = 3;
             insert into documents (organization, title) values (1, 'one'), (1, 'two'), (2, null);
             update documents set parent = 1 where id = 2;
             insert into comments (document, body) values (1, 'x'), (1, 'y'), (3, 'z');
             create index documents_title on documents (lower(title)) where title is not null;
             create view titles as select title from documents;
             create trigger documents_insert after insert on documents begin insert into comments (document, body) values (new.id, 't'); end;
             create trigger comments_insert after insert on comments when new.body = 'u' begin update documents set title = 'u'; end",
        )
        .await
        .unwrap();
    database
}

fn rebuilds(steps: &[SqliteStep]) -> Vec<String> {
    let table = |step: &SqliteStep| match step {
        SqliteStep::Rebuild { table, .. } => Some(table.clone()),
        SqliteStep::Statement(_) => None,
    };
    steps.iter().filter_map(table).collect()
}

#[tokio::test]
async fn rows_references_indexes_views_and_triggers_stay() {
    let mut database = filled().await;
    for table in ["documents", "organizations"] {
        let column = format!("alter table {table} add column created_at timestamptz not null default now()");
        assert_eq!(rebuilds(&database.migrate(&column).await.unwrap()), [table]);
    }
    assert_eq!(
        database.rows("select id || organization || coalesce(title, '-') || coalesce(parent, '-') from documents").await,
        ["11one-", "21two1", "32--"]
    );
    assert_eq!(database.rows("select count(*) from comments").await, ["3"]);
    assert_eq!(database.rows("select count(*) from documents where created_at like '20__-__-__ __:__:__'").await, ["3"]);
    assert_eq!(database.rows("select title from titles where title > 'a' order by 1").await, ["one", "two"]);
    assert_eq!(
        database
            .rows("select name from sqlite_schema where type in ('index', 'trigger', 'view') and name not like 'sqlite%' order by 1")
            .await,
        ["comments_insert", "documents_insert", "documents_title", "titles"]
    );
    database.run("insert into documents (organization) values (1)").await.unwrap();
    assert_eq!(database.rows("select body from comments where document = 4").await, ["t"]);
    // numbers that were used once aren't used again
    database.run("insert into organizations (name) values ('d')").await.unwrap();
    assert_eq!(database.rows("select max(id) from organizations").await, ["4"]);
    // foreign keys work, and lead where they led
    assert!(database.run("insert into comments (document) values (99)").await.is_err());
    database.run("delete from organizations where id = 1").await.unwrap();
    assert_eq!(database.rows("select body from comments").await, ["z"]);
}

#[tokio::test]
async fn a_rebuild_that_fails_leaves_everything_as_it_was() {
    let mut database = filled().await;
    let before = database.schema().await;
    let failure = database.migrate("alter table documents add column size integer not null check (size > 0) unique").await.unwrap_err();
    assert!(failure.text().contains("NOT NULL constraint failed"), "{}", failure.text());
    assert_eq!(database.schema().await, before);
    assert_eq!(database.rows("select count(*) from documents").await, ["3"]);
    assert_eq!(database.rows("pragma legacy_alter_table").await, ["0"]);
    assert_eq!(database.rows("pragma foreign_keys").await, ["1"]);
}

#[tokio::test]
async fn orphans_stop_it() {
    let mut database = filled().await;
    database.run("pragma foreign_keys = off; delete from documents where id = 3; pragma foreign_keys = on").await.unwrap();
    let failure = database.migrate("alter table documents add column key uuid unique").await.unwrap_err();
    assert!(matches!(failure, Failure::Orphans(1)), "{failure:?}");
}

#[tokio::test]
async fn every_row_gets_its_own_uuid() {
    let mut database = filled().await;
    database.migrate("alter table documents add column key uuid not null default gen_random_uuid() unique").await.unwrap();
    database.run("insert into documents (organization) values (2)").await.unwrap();
    let keys = database.rows("select key from documents").await;
    assert_eq!(keys.len(), 4);
    for key in keys {
        let dashes: Vec<_> = key.char_indices().filter(|(_, c)| *c == '-').map(|(i, _)| i).collect();
        assert_eq!((key.len(), dashes.as_slice()), (36, &[8, 13, 18, 23][..]), "{key}");
        assert!(key.chars().all(|c| c == '-' || c.is_ascii_digit() || ('a'..='f').contains(&c)), "{key}");
        assert_eq!(&key[14..15], "4", "{key}");
        assert!(matches!(&key[19..20], "8" | "9" | "a" | "b"), "{key}");
    }
}

#[tokio::test]
async fn what_others_added_by_hand_stays() {
    let mut database = filled().await;
    database.run("alter table documents add column extra varchar(20) collate nocase default 'e' check (extra <> '')").await.unwrap();
    database.run("update documents set extra = 'kept' where id = 2").await.unwrap();
    let steps = database.migrate("alter table documents add column key uuid unique").await.unwrap();
    assert_eq!(rebuilds(&steps), ["documents"]);
    assert_eq!(database.rows("select extra from documents").await, ["e", "kept", "e"]);
    let sql = database.rows("select sql from sqlite_schema where name = 'documents'").await.remove(0);
    assert!(sql.contains("extra VARCHAR(20) default 'e' collate nocase constraint documents_extra_check check (extra <> '')"), "{sql}");
}

#[tokio::test]
async fn what_a_rebuild_would_lose_is_refused() {
    let mut database = Database::with("create table a (id bigint primary key, b text)").await;
    database.run("drop table a; create table a (id integer constraint a_pkey primary key on conflict replace, b text)").await.unwrap();
    let failure = database.migrate("alter table a add column c text unique").await.unwrap_err();
    assert_eq!(failure.text(), "table `a` has to be built anew, which would lose on conflict");
    database.migrate("alter table a add column d text").await.unwrap();
}

#[tokio::test]
async fn dropping_a_referenced_table_keeps_the_rows_of_others() {
    let mut database = filled().await;
    let steps = database.migrate("drop table documents cascade").await.unwrap();
    assert_eq!(rebuilds(&steps), ["comments"]);
    assert_eq!(database.rows("select count(*) from comments").await, ["3"]);
}
