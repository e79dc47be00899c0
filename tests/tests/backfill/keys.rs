//! Keys of all kinds.

use crate::{beginning, journal, story, up};
use migrate_runtime::{Error, Options};
use migrate_tests::{Database, server};
use std::time::Duration;

/// Fills a table with this many rows, changes each of them in batches, and looks whether each was changed once.
async fn each_row_once(table: &str, fill: &str, rows: u32) {
    let database = Database::create(server()).await;
    let table = format!("create table t ({table})");
    up(database.url(), &beginning(&table), Options::default()).await.unwrap();
    database.execute(fill).await.unwrap();
    up(database.url(), &story(&table, "backfill update t set n = n + 1 in batches of 17"), Options::default()).await.unwrap();
    let found = database.text("select concat_ws(' ', count(*), min(n), max(n)) from t").await.unwrap();
    assert_eq!(found, format!("{rows} 1 1"), "{table}");
    let expected = format!("applied: 1 applied {rows} of {rows} rows changed in ");
    assert!(journal(&database, "bbb222").await.starts_with(&expected), "{table}");
}

#[tokio::test]
async fn uuids() {
    each_row_once("id uuid primary key, n int default 0", "insert into t (id) select gen_random_uuid() from generate_series(1, 500)", 500)
        .await;
}

#[tokio::test]
async fn texts_with_quotes_and_collations() {
    let fill = r"insert into t (id) select case i % 4 when 0 then 'it''s ' when 1 then E'\\ back' when 2 then 'Ä' else 'a b' end || i from generate_series(1, 400) as i";
    let database = Database::create(server()).await;
    let has_icu = database.text("select exists (select from pg_collation where collname = 'en-US-x-icu')::text").await.unwrap() == "true";
    // where the server was built with ICU
    let icu = has_icu.then_some("collate \"en-US-x-icu\"");
    for collation in ["", "collate \"C\""].into_iter().chain(icu) {
        each_row_once(&format!("id text {collation} primary key, n int default 0"), fill, 400).await;
    }
    each_row_once("id varchar(20) primary key, n int default 0", fill, 400).await;
    each_row_once("id char(20) primary key, n int default 0", fill, 400).await;
}

#[tokio::test]
async fn several_columns() {
    each_row_once(
        "tenant text, number int, n int default 0, primary key (tenant, number)",
        "insert into t select 'tenant ' || i % 7, i / 7 from generate_series(1, 700) as i",
        700,
    )
    .await;
}

#[tokio::test]
async fn times_numbers_and_what_else_can_be_a_key() {
    for (data_type, value) in [
        ("timestamptz", "'2024-01-01'::timestamptz + i * interval '1 hour 1 microsecond'"),
        ("interval", "(i - 50) * interval '1 day 2 hours'"),
        ("numeric(30, 10)", "i / 3.0"),
        ("double precision", "i / 3.0::float8"),
        ("bytea", "decode(md5(i::text), 'hex')"),
        ("inet", "'10.0.0.0'::inet + i"),
        ("int[]", "array[i % 5, i]"),
        ("boolean", "i % 2 = 0"),
        ("date", "'2024-01-01'::date + i"),
    ] {
        let rows = if data_type == "boolean" { 2 } else { 100 };
        let fill = format!("insert into t (id) select {value} from generate_series(1, {rows}) as i");
        each_row_once(&format!("id {data_type} primary key, n int default 0"), &fill, rows).await;
    }
}

#[tokio::test]
async fn a_unique_index_does_where_there_is_no_primary_key() {
    let table = "id int, code text not null, n int default 0); create unique index t_code on t (code desc";
    each_row_once(table, "insert into t select null, 'code ' || i from generate_series(1, 100) as i", 100).await;
}

#[tokio::test]
async fn partitions_are_walked_along_together() {
    let table = "id int primary key, n int default 0) partition by hash (id); \
                 create table t0 partition of t for values with (modulus 2, remainder 0); \
                 create table t1 partition of t for values with (modulus 2, remainder 1";
    each_row_once(table, "insert into t select i from generate_series(1, 300) as i", 300).await;
}

#[tokio::test]
async fn a_type_whose_operators_are_in_another_schema_is_compared_by_them() {
    let database = Database::create(server()).await;
    let extension = "create schema app; create extension citext schema app; create table t (id app.citext, part int, n int default 0, primary key (part, id))";
    if database.execute(extension).await.is_err() {
        // the contrib modules aren't installed
        return;
    }
    let database = Database::create(server()).await;
    let base = beginning(
        "create schema app; create extension citext schema app; \
                          create table t (id app.citext, part int, n int default 0, primary key (part, id))",
    );
    up(database.url(), &base, Options::default()).await.unwrap();
    database
        .execute("insert into t select case when i % 2 = 0 then 'A' else 'b' end || i, i % 3 from generate_series(1, 200) as i")
        .await
        .unwrap();
    let text = format!("{base}=== bbb222 m2 after aaa111\nbackfill update t set n = n + 1 in batches of 7;\n--- irreversible rows\n");
    up(database.url(), &text, Options::default()).await.unwrap();
    assert_eq!(database.text("select concat_ws(' ', count(*), min(n), max(n)) from t").await.unwrap(), "200 1 1");
}

#[tokio::test]
async fn the_key_is_the_one_that_it_began_with() {
    let database = Database::create(server()).await;
    let table = "create table t (id int primary key, code int not null unique, n int not null default 0)";
    up(database.url(), &beginning(table), Options::default()).await.unwrap();
    database
        .execute("insert into t select i, 101 - i from generate_series(1, 100) as i; alter table t add check (n < 1 or id <> 50)")
        .await
        .unwrap();
    let text = story(table, "backfill update t set n = n + 1 in batches of 20");
    up(database.url(), &text, Options::default()).await.unwrap_err();
    database.execute("alter table t drop constraint t_pkey").await.unwrap();
    let error = up(database.url(), &text, Options::default()).await.unwrap_err();
    let expected = "the batches go by the key (id) of `t`, which is no key of it any more; ";
    assert!(error.to_string().contains(expected), "{error}");
    let forget = "or run `delete from _migrate.backfills where (revision, direction, number) = ('bbb222', 'up', 1)`, and it begins anew";
    assert!(error.help().unwrap().contains(forget), "{error}");
    database.execute("create unique index again on t (id); alter table t drop constraint t_check").await.unwrap();
    up(database.url(), &text, Options::default()).await.unwrap();
    assert_eq!(database.text("select concat_ws(' ', count(*), min(n), max(n)) from t").await.unwrap(), "100 1 1");
}

#[tokio::test]
async fn types_that_are_made_by_the_chain() {
    for (made, data_type, value) in [
        ("create type pair as (a int, b text)", "pair", "row(i % 5, 'it''s, (' || i)::pair"),
        ("create domain code as text check (value <> '')", "code", "('c ' || i)::code"),
        ("create type size as enum ('s', 'm', 'l')", "size", "(enum_range(null::size))[i]"),
    ] {
        let rows = if data_type == "size" { 3 } else { 100 };
        let database = Database::create(server()).await;
        let table = format!("{made};\ncreate table t (id {data_type} primary key, n int not null default 0)");
        up(database.url(), &beginning(&table), Options::default()).await.unwrap();
        database.execute(&format!("insert into t (id) select {value} from generate_series(1, {rows}) as i")).await.unwrap();
        up(database.url(), &story(&table, "backfill update t set n = n + 1 in batches of 2"), Options::default()).await.unwrap();
        assert_eq!(database.text(SUMS).await.unwrap(), format!("{rows} 1 1"), "{data_type}");
    }
}

#[tokio::test]
async fn a_key_that_is_computed_is_not_walked_along() {
    let database = Database::create(server()).await;
    let table =
        "create table t (number int not null, twice int primary key generated always as (number * 2) stored, id int unique not null)";
    up(database.url(), &beginning(table), Options::default()).await.unwrap();
    database.execute("insert into t (number, id) select i * 100, i * 100 from generate_series(1, 100) as i").await.unwrap();
    // by the computed one, a row would be met again ahead
    let text = story(table, "backfill update t set number = number + 1050 in batches of 7");
    up(database.url(), &text, Options::default()).await.unwrap();
    assert_eq!(database.text("select concat_ws(' ', min(number - id), max(number - id)) from t").await.unwrap(), "1050 1050");
    // where that is the only one, as things are
    let database = Database::create(server()).await;
    up(database.url(), &beginning(table), Options::default()).await.unwrap();
    database.execute("alter table t drop constraint t_id_key").await.unwrap();
    let error = up(database.url(), &text, Options::default()).await.unwrap_err();
    assert!(error.to_string().contains("table `t` has no key to walk along in batches"), "{error}");
}

const TABLE: &str = "create table t (id int primary key, n int not null default 0)";
const BACKFILL: &str = "backfill update t set n = n + 1 in batches of 5";
const SUMS: &str = "select concat_ws(' ', count(*), min(n), max(n)) from t";

/// A table with a hundred rows, of which some have been changed before it was interrupted.
async fn interrupted() -> Database {
    let database = Database::create(server()).await;
    up(database.url(), &beginning(TABLE), Options::default()).await.unwrap();
    database
        .execute("insert into t select generate_series(1, 100); alter table t add constraint stops check (n < 1 or id <> 50)")
        .await
        .unwrap();
    let options = Options { batch_target: Duration::from_millis(1), ..Options::default() };
    up(database.url(), &story(TABLE, BACKFILL), options).await.unwrap_err();
    database.execute("alter table t drop constraint stops").await.unwrap();
    let passed: i32 = database.text("select rows_passed::text from _migrate.backfills").await.unwrap().parse().unwrap();
    assert!((1..50).contains(&passed), "{passed}");
    database
}

/// What is said, and the SQL of the two ways out.
fn refused(error: &Error) -> (String, String, String) {
    let Error::Operation { message, help, .. } = error else { panic!("{error}") };
    let ways: Vec<&str> = help.split('`').filter(|part| part.contains("_migrate.backfills")).collect();
    (message.clone(), ways[0].to_owned(), ways[1].to_owned())
}

#[tokio::test]
async fn a_key_that_is_sorted_otherwise_than_it_began_is_refused() {
    for (changed, as_what) in [("type text", "text"), ("type text collate \"C\"", "text collate \"C\""), ("type bigint", "bigint")] {
        let database = interrupted().await;
        database.execute(&format!("alter table t alter column id {changed}")).await.unwrap();
        let sums = database.text(SUMS).await.unwrap();
        let error = up(database.url(), &story(TABLE, BACKFILL), Options::default()).await.unwrap_err();
        let (message, accept, forget) = refused(&error);
        let expected = format!(
            "the key (id) of `t`, which the batches go by, is sorted as {as_what} now, and was sorted as integer when they began; "
        );
        assert!(message.starts_with(&expected) && message.contains(" rows in "), "{message}");
        assert_eq!(database.text(SUMS).await.unwrap(), sums, "nothing was done");
        if changed == "type bigint" {
            // the same rows in the same order
            database.execute(&accept).await.unwrap();
            up(database.url(), &story(TABLE, BACKFILL), Options::default()).await.unwrap();
            assert_eq!(database.text(SUMS).await.unwrap(), "100 1 1");
        } else {
            database.execute(&format!("{forget}; update t set n = 0")).await.unwrap();
            up(database.url(), &story(TABLE, BACKFILL), Options::default()).await.unwrap();
            assert_eq!(database.text(SUMS).await.unwrap(), "100 1 1");
        }
    }
}

#[tokio::test]
async fn another_table_of_that_name_is_refused() {
    let database = interrupted().await;
    database
        .execute("alter table t rename to former; create table t (like former including all); insert into t select * from former")
        .await
        .unwrap();
    let error = up(database.url(), &story(TABLE, BACKFILL), Options::default()).await.unwrap_err();
    let (message, accept, forget) = refused(&error);
    let oids = database.text("select concat_ws(' ', 't'::regclass::oid, 'former'::regclass::oid)").await.unwrap();
    let (is, was) = oids.split_once(' ').unwrap();
    let expected = format!("table `t` is another one (oid {is}) than the one that the batches began with (oid {was}); ");
    assert!(message.starts_with(&expected), "{message}");
    let copy = database.copy(server()).await;
    // the same rows
    copy.execute(&accept).await.unwrap();
    up(copy.url(), &story(TABLE, BACKFILL), Options::default()).await.unwrap();
    assert_eq!(copy.text(SUMS).await.unwrap(), "100 1 1");
    // other rows
    database.execute(&format!("truncate t; insert into t select generate_series(1, 30); {forget}")).await.unwrap();
    up(database.url(), &story(TABLE, BACKFILL), Options::default()).await.unwrap();
    assert_eq!(database.text(SUMS).await.unwrap(), "30 1 1");
}

#[tokio::test]
async fn a_longer_key_and_another_name_are_the_same_key_and_table() {
    let database = Database::create(server()).await;
    let table = "create table t (id varchar(3) primary key, n int not null default 0)";
    up(database.url(), &beginning(table), Options::default()).await.unwrap();
    database
        .execute("insert into t select i::text from generate_series(1, 100) as i; alter table t add constraint stops check (n < 1 or id <> '50')")
        .await
        .unwrap();
    let options = Options { batch_target: Duration::from_millis(1), ..Options::default() };
    up(database.url(), &story(table, BACKFILL), options).await.unwrap_err();
    let elsewhere = "alter table t drop constraint stops; alter table t alter column id type varchar(40); alter table t rename to u; alter table u rename to t";
    database.execute(elsewhere).await.unwrap();
    up(database.url(), &story(table, BACKFILL), Options::default()).await.unwrap();
    assert_eq!(database.text(SUMS).await.unwrap(), "100 1 1");
}

#[tokio::test]
async fn a_table_that_was_emptied_meanwhile_is_done() {
    let database = interrupted().await;
    let passed = database.text("select rows_passed::text from _migrate.backfills").await.unwrap();
    database.execute("delete from t").await.unwrap();
    up(database.url(), &story(TABLE, BACKFILL), Options::default()).await.unwrap();
    let journal = journal(&database, "bbb222").await;
    assert!(journal.starts_with(&format!("applied: 1 applied {passed} of {passed} rows changed in ")), "{journal}");
    assert_eq!(database.text("select count(*)::text from _migrate.backfills").await.unwrap(), "0");
}
