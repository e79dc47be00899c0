//! The way back of a column that is filled in part.

use migrate_runtime::{Database as Migrator, DownTo, Migrations, Options};
use migrate_tests::chain::chain;
use migrate_tests::{Database, server};
use std::time::Duration;

/// How many rows the batches have passed; 0 where nobody knows of any.
async fn passed(database: &Database) -> u64 {
    database.text("select coalesce((select rows_passed from _migrate.backfills), 0)::text").await.unwrap().parse().unwrap()
}

/// A migration that fills a column, with this before that and as the way back, and gets no further than to some rows of it.
async fn half_filled(before: &str, fill: &str, back: &str) -> (Database, Migrations) {
    let database = Database::create(server()).await;
    let table = "create table documents (id int primary key, n int not null default 0)";
    let text = format!(
        "=== aaa111 m1\n{table};\n=== bbb222 m2 after aaa111\n{before}backfill {fill} in batches of 10;\n\
         alter table documents alter column m set not null;\n--- down\n{back};\n"
    );
    let chain = chain(&text);
    let migrator = Migrator::new(database.url()).unwrap();
    migrator.up(chain, Some("m1")).await.unwrap();
    let stops = "create function stop() returns trigger language plpgsql as 'begin if old.id > 25 then raise ''stop''; end if; return coalesce(new, old); end';
        create trigger stop before update or delete on documents for each row execute function stop()";
    database.execute(&format!("insert into documents select generate_series(1, 35); {stops}")).await.unwrap();
    let options = Options { batch_target: Duration::from_millis(1), ..Options::default() };
    migrator.with_options(options).up(chain, None).await.unwrap_err();
    assert!(passed(&database).await > 0);
    database.execute("drop trigger stop on documents").await.unwrap();
    (database, chain)
}

#[tokio::test]
async fn what_is_half_filled_is_taken_back_where_it_falls_with_its_column() {
    let (add, fill) = ("alter table documents add column m int;\n", "update documents set m = n + 1");
    for back in ["alter table documents drop column m", "drop index if exists nothing;\nalter table documents drop column if exists m"] {
        let (database, chain) = half_filled(add, fill, back).await;
        let migrator = Migrator::new(database.url()).unwrap();
        migrator.down(chain, &DownTo::Steps(1)).await.unwrap();
        let columns = "select string_agg(attname, ' ' order by attnum) from pg_attribute where attrelid = 'documents'::regclass and attnum > 0 and not attisdropped";
        assert_eq!(database.text(columns).await.unwrap(), "id n", "{back}");
        assert_eq!(database.text("select count(*)::text from _migrate.backfills").await.unwrap(), "0");
        // it begins anew
        migrator.up(chain, None).await.unwrap();
        assert_eq!(database.text("select concat_ws(' ', count(*), min(m), max(m)) from documents").await.unwrap(), "35 1 1");
    }
}

#[tokio::test]
async fn what_is_half_filled_stays_where_the_way_back_would_need_to_know_which_rows() {
    let (add, fill) = ("alter table documents add column m int;\n", "update documents set m = n + 1");
    let drop = "alter table documents drop column m";
    for (before, fill, back) in [
        // what was set in other columns would stay, and be set once more
        (add, "update documents set m = 1, n = n + 1", drop),
        // rows are read or written on the way
        (add, fill, "update documents set n = m;\nalter table documents drop column m"),
        (add, fill, "backfill update documents set n = m in batches of 10;\nalter table documents drop column m"),
        (add, fill, "alter table documents alter column n type int using m;\nalter table documents drop column m"),
        (add, fill, "create table kept as select id, m from documents;\nalter table documents drop column m"),
        (add, fill, "do 'begin null; end';\nalter table documents drop column m"),
        // nothing falls
        (add, fill, "comment on table documents is null"),
        (add, "delete from documents where n = 0", drop),
    ] {
        let (database, chain) = half_filled(before, fill, back).await;
        let migrator = Migrator::new(database.url()).unwrap();
        let error = migrator.down(chain, &DownTo::Steps(1)).await.unwrap_err();
        assert!(error.what().contains("is half done"), "{fill}, {back}: {error}");
        assert!(passed(&database).await > 0);
    }
}

#[tokio::test]
async fn what_was_filled_in_somebody_else_s_column_stays() {
    let add = "alter table documents add column m int;\n";
    let back = "alter table documents drop column m";
    let (database, chain) = half_filled(add, "update documents set m = n + 1", back).await;
    // as if the column had been there before
    let found = "update _migrate.operations set outcome = 'satisfied' where revision = 'bbb222' and number = 1";
    database.execute(found).await.unwrap();
    let migrator = Migrator::new(database.url()).unwrap();
    let error = migrator.down(chain, &DownTo::Steps(1)).await.unwrap_err();
    assert!(error.what().contains("is half done"), "{error}");
}
