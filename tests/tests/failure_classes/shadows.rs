//! Names that mean something else than the migration's author thought of.

use crate::{journal, until, up};
use migrate_tests::{Database, server};
use sqlx::{Connection as _, Executor as _};
use std::fmt::Write as _;

const BASE: &str = "=== aaa111 m1\ncreate table items (id int primary key, name text);\n";

#[tokio::test]
async fn a_search_path_of_the_role_leads_nowhere_else() {
    let database = Database::create(server()).await;
    up(&database, BASE).await.unwrap();
    database.execute("create schema evil; create table evil.items (id int primary key, name text)").await.unwrap();
    database.execute(&format!("alter database {} set search_path = evil, public", database.name())).await.unwrap();
    let text = format!(
        "{BASE}=== bbb222 m2 after aaa111\nalter table items add column note text;\ninsert into items values (1, 'a');\n\
         create index items_name_idx on items (name);\n"
    );
    up(&database, &text).await.unwrap();
    assert_eq!(database.text("select count(*)::text from public.items where note is null").await.unwrap(), "1");
    assert_eq!(database.text("select count(*)::text from evil.items").await.unwrap(), "0");
    assert_eq!(database.text("select count(*)::text from pg_class where relnamespace = 'evil'::regnamespace").await.unwrap(), "2");
}

#[tokio::test]
async fn a_temporary_table_does_not_take_a_tables_place() {
    let database = Database::create(server()).await;
    up(&database, BASE).await.unwrap();
    let text = format!(
        "{BASE}=== bbb222 m2 after aaa111\ndo $$ begin execute 'create temporary table items (id int, name text)'; end $$;\n\
         alter table items add column note text;\ninsert into items values (1, 'a');\n"
    );
    up(&database, &text).await.unwrap();
    assert_eq!(database.text("select count(*)::text from public.items where note is null").await.unwrap(), "1");
    assert_eq!(journal(&database).await, "aaa111 1 applied, bbb222 1 applied, bbb222 2 applied, bbb222 3 applied");
}

/// Operators of ours that PostgreSQL would have to convert an argument for, were they not written with care: whoever may
/// create in `public` offers one that needs no conversion.
const OPERATORS: [(&str, &str, &str, &str); 8] = [
    ("||", "text", "integer", "text"),
    ("||", "integer", "integer", "text"),
    ("=", "oid", "integer", "boolean"),
    ("=", "oid", "bigint", "boolean"),
    ("=", "smallint", "integer", "boolean"),
    ("!~", "name", "name", "boolean"),
    ("*", "numeric", "integer", "numeric"),
    ("*", "double precision", "integer", "double precision"),
];

#[tokio::test]
async fn operators_that_match_better_are_not_called() {
    let database = Database::create(server()).await;
    up(&database, BASE).await.unwrap();
    let mut sql = "create function now() returns timestamptz language sql as 'select null::timestamptz';".to_owned();
    for (number, (operator, left, right, result)) in OPERATORS.into_iter().enumerate() {
        // a sequence keeps what a transaction that is rolled back has done
        write!(
            sql,
            "create sequence trap{number}_called; create function trap{number}({left}, {right}) returns {result} language plpgsql as \
             $$ begin perform pg_catalog.nextval('public.trap{number}_called'); return null; end $$; \
             create operator public.{operator} (function = trap{number}, leftarg = {left}, rightarg = {right});"
        )
        .unwrap();
    }
    database.execute(&sql).await.unwrap();
    let text = format!("{BASE}=== bbb222 m2 after aaa111\nalter table items add column made_at timestamptz not null default now();\n");
    let mut application = database.connect().await;
    let mut transaction = application.begin().await.unwrap();
    transaction.execute("lock table items in access share mode").await.unwrap();
    // one waits for the application, and the other for the one: both ask for whom
    let (one, other, ()) = tokio::join!(up(&database, &text), up(&database, &text), async {
        let waits = "exists (select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock' \
                     and clock_timestamp() - query_start > interval '400 ms')";
        until(&database, waits).await;
        transaction.rollback().await.unwrap();
    });
    assert_eq!(one.unwrap().current[0].revision, other.unwrap().current[0].revision);
    let waited = database.text("select count(*)::text from _migrate.waits").await.unwrap();
    assert_ne!(waited, "0");
    let called = "select coalesce(string_agg(sequencename, ', '), 'none') from pg_sequences where sequencename ~ '^trap'::text and last_value is not null";
    assert_eq!(database.text(called).await.unwrap(), "none");
    database.execute("insert into items (id) values (1)").await.unwrap();
    assert_eq!(database.text("select (made_at is not null)::text from items").await.unwrap(), "true");
}
