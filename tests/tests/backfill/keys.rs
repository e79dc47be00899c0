//! Keys of all kinds.

use crate::{beginning, journal, story, up};
use migrate_runtime::Options;
use migrate_tests::{Database, server};

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
    database.execute("create unique index again on t (id); alter table t drop constraint t_check").await.unwrap();
    up(database.url(), &text, Options::default()).await.unwrap();
    assert_eq!(database.text("select concat_ws(' ', count(*), min(n), max(n)) from t").await.unwrap(), "100 1 1");
}
