//! What the server does besides what it is told: checks that wait for the commit, event triggers, publications.

use crate::{journal, up};
use migrate_tests::{Database, server};

const DEFERRED: &str = "=== aaa111 m1\ncreate table authors (id int primary key);\n\
    create table books (id int primary key, author int references authors deferrable initially deferred);\n\
    === bbb222 m2 after aaa111\ninsert into authors values (1);\ninsert into books values (1, 1);\n";

#[tokio::test]
async fn rows_with_deferred_checks_are_checked_before_their_table_is_changed() {
    let database = Database::create(server()).await;
    up(&database, &format!("{DEFERRED}alter table books add column title text;\n")).await.unwrap();
    assert_eq!(database.text("select count(*)::text from books where title is null").await.unwrap(), "1");
}

#[tokio::test]
async fn rows_that_dont_stand_their_deferred_check_are_told_of_at_the_ddl_that_needs_it() {
    let database = Database::create(server()).await;
    let text = format!("{DEFERRED}insert into books values (2, 7);\nalter table books add column title text;\n");
    let error = up(&database, &text).await.unwrap_err();
    assert_eq!(error.sqlstate().as_deref(), Some("23503"), "{error}");
    assert!(error.to_string().contains("rows that were written before it don't stand the check that was put off"), "{error}");
    assert_eq!(database.text("select count(*)::text from books").await.unwrap(), "0");
}

#[tokio::test]
async fn rows_with_deferred_checks_are_checked_where_the_migration_says_so() {
    let database = Database::create(server()).await;
    let text = format!("{DEFERRED}set constraints all immediate;\nalter table books add column title text;\n");
    up(&database, &text).await.unwrap();
    assert_eq!(database.text("select count(*)::text from books where title is null").await.unwrap(), "1");
}

#[tokio::test]
async fn an_event_trigger_that_needs_a_search_path_has_to_set_it() {
    let database = Database::create(server()).await;
    let audit = "create schema audit; create table audit.ddl (tag text); \
                 create function audit.note() returns event_trigger language plpgsql as $$ begin insert into ddl values (tg_tag); end $$; \
                 create event trigger note on ddl_command_end execute function audit.note()";
    database.execute(audit).await.unwrap();
    database.execute(&format!("alter database {} set search_path = public, audit", database.name())).await.unwrap();
    let error = up(&database, "=== aaa111 m1\ncreate table first (id int primary key);\n").await.unwrap_err();
    assert_eq!(error.sqlstate().as_deref(), Some("42P01"), "{error}");
    assert!(error.to_string().contains("(in PL/pgSQL function note() line 1 at SQL statement)"), "{error}");
    assert_eq!(journal(&database).await, "aaa111 1 failed");
    database.execute("alter function audit.note() set search_path = audit").await.unwrap();
    up(&database, "=== aaa111 m1\ncreate table first (id int primary key);\n").await.unwrap();
}

#[tokio::test]
async fn an_event_trigger_sees_every_operation_and_its_refusal_is_the_operations() {
    let database = Database::create(server()).await;
    let audit = "create table ddl (tag text); \
                 create function note() returns event_trigger language plpgsql as $$ begin \
                 if tg_tag = 'DROP TABLE' then raise exception 'tables are not dropped here'; end if; \
                 insert into public.ddl values (tg_tag); end $$; \
                 create event trigger note on ddl_command_end execute function note()";
    database.execute(audit).await.unwrap();
    let text = "=== aaa111 m1\ncreate table first (id int primary key);\nalter table first add column name text;\n";
    up(&database, text).await.unwrap();
    let seen = "select count(*)::text from ddl where tag in ('CREATE TABLE', 'ALTER TABLE')";
    assert!(database.text(seen).await.unwrap().parse::<usize>().unwrap() >= 2);
    let text = format!("{text}=== bbb222 m2 after aaa111\ncreate table second (id int primary key);\ndrop table first;\n");
    let error = up(&database, &text).await.unwrap_err();
    assert!(error.what().contains("tables are not dropped here"), "{error}");
    assert_eq!(error.place().unwrap().number, 2);
    assert_eq!(database.text("select (to_regclass('second') is null)::text").await.unwrap(), "true");
}

#[tokio::test]
async fn a_published_table_without_replica_identity_takes_ddl_and_refuses_updates_whole() {
    let database = Database::create(server()).await;
    let base = "=== aaa111 m1\ncreate table first (id int);\ninsert into first values (1);\n";
    up(&database, base).await.unwrap();
    database.execute("create publication all_of_it for table first").await.unwrap();
    let text = format!("{base}=== bbb222 m2 after aaa111\nalter table first add column name text;\nupdate first set name = 'a';\n");
    let error = up(&database, &text).await.unwrap_err();
    assert_eq!(error.sqlstate().as_deref(), Some("55000"), "{error}");
    assert!(error.what().contains("does not have a replica identity"), "{error}");
    assert_eq!(
        database.text("select count(*)::text from pg_attribute where attname = 'name' and attrelid = 'first'::regclass").await.unwrap(),
        "0"
    );
    database.execute("alter table first replica identity full").await.unwrap();
    up(&database, &text).await.unwrap();
    assert_eq!(database.text("select name from first").await.unwrap(), "a");
}
