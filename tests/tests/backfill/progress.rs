//! What a change in batches does, and what is said of it.

use crate::{Told, beginning, journal, story, up};
use migrate_runtime::{Database as Migrator, Options};
use migrate_tests::chain::chain;
use migrate_tests::{Database, server};

const TABLE: &str = "create table documents (id bigint primary key, n int not null default 0, title text)";

#[tokio::test]
async fn every_row_is_changed_once_in_batches_that_are_told() {
    let database = Database::create(server()).await;
    up(database.url(), &beginning(TABLE), Options::default()).await.unwrap();
    // with gaps
    database.execute("insert into documents (id) select i * i from generate_series(1, 20000) as i; analyze documents").await.unwrap();
    let told = Told::default();
    let text = story(TABLE, "backfill update documents set n = n + 1 in batches of 1000");
    let summary = up(database.url(), &text, told.by(Options::default())).await.unwrap();
    let sums = "select concat_ws(' ', count(*), min(n), max(n)) from documents";
    assert_eq!(database.text(sums).await.unwrap(), "20000 1 1");
    let progress = told.progress();
    let passed: Vec<u64> = progress.iter().map(|progress| progress.passed).collect();
    assert!(progress.len() > 2 && passed.is_sorted(), "{passed:?}");
    assert_eq!((passed[0], passed[passed.len() - 1]), (0, 20000));
    assert!(progress.iter().all(|progress| progress.estimate == Some(20000) && !progress.resumed), "{progress:?}");
    assert!(progress.last().unwrap().rows_per_second > 0, "{progress:?}");
    let report = &summary.revisions[0].operations[0];
    let batches = progress.last().unwrap().batches;
    assert_eq!(report.evidence, format!("20000 of 20000 rows changed in {batches} batches"));
    assert!(report.duration_ms > 0, "{report:?}");
    assert_eq!(journal(&database, "bbb222").await, format!("applied: 1 applied {}", report.evidence));
    let outcomes = "select string_agg(outcome, ', ' order by id) from _migrate.operations where revision = 'bbb222'";
    assert_eq!(database.text(outcomes).await.unwrap(), "started, applied");
    assert_eq!(database.text("select count(*)::text from _migrate.backfills").await.unwrap(), "0");
    // nothing to do any more
    assert!(up(database.url(), &text, Options::default()).await.unwrap().revisions.is_empty());
    assert_eq!(database.text(sums).await.unwrap(), "20000 1 1");
}

#[tokio::test]
async fn conditions_joins_and_aliases_are_kept() {
    let database = Database::create(server()).await;
    let table = "create table documents (id int primary key, title text, file_name text); \
                 create table names (document int primary key, name text)";
    up(database.url(), &beginning(table), Options::default()).await.unwrap();
    database
        .execute(
            "insert into documents (id, title) select i, case when i % 3 = 0 then 'set' end from generate_series(1, 100) as i; \
             insert into names select i, 'name ' || i from generate_series(1, 50) as i",
        )
        .await
        .unwrap();
    let text = story(
        table,
        "backfill update documents as d set title = n.name from names as n where n.document = d.id and d.title is null or d.id = 99 and n.document = 1 \
         in batches of 7;\nbackfill delete from documents using names as n where n.document = documents.id and documents.id > 40 in batches of 9;\n\
         backfill update only documents set file_name = 'all' in batches of 11",
    );
    up(database.url(), &text, Options::default()).await.unwrap();
    let found = "select concat_ws(' ', count(*), count(*) filter (where title like 'name %'), count(*) filter (where title is null), \
                 count(*) filter (where file_name = 'all'), (select title from documents where id = 99)) from documents";
    assert_eq!(database.text(found).await.unwrap(), "90 28 33 90 name 1");
    assert!(
        journal(&database, "bbb222").await.starts_with("applied: 1 applied 35 of 100 rows changed in "),
        "{}",
        journal(&database, "bbb222").await
    );
}

#[tokio::test]
async fn an_empty_table_and_rows_that_nothing_fits_are_done_at_once() {
    let database = Database::create(server()).await;
    let text = story(TABLE, "backfill update documents set n = n + 1 in batches of 10");
    up(database.url(), &text, Options::default()).await.unwrap();
    assert_eq!(journal(&database, "bbb222").await, "applied: 1 applied 0 of 0 rows changed in 0 batches");
    database.execute("insert into documents (id) select generate_series(1, 25)").await.unwrap();
    let text =
        format!("{text}=== ccc333 m3 after bbb222\nbackfill delete from documents where n > 5 in batches of 100;\n--- irreversible rows\n");
    up(database.url(), &text, Options::default()).await.unwrap();
    assert_eq!(journal(&database, "ccc333").await, "applied: 1 applied 0 of 25 rows changed in 1 batch");
}

#[tokio::test]
async fn what_is_behind_the_last_key_when_it_begins_is_left_alone() {
    let database = Database::create(server()).await;
    up(database.url(), &beginning(TABLE), Options::default()).await.unwrap();
    // each batch makes new rows behind all others: it must end all the same
    database
        .execute(
            "insert into documents (id) select generate_series(1, 100);
             create function more() returns trigger language plpgsql as $$ begin
                 insert into documents (id, title) select max(id) + 1, 'new' from documents; return null; end $$;
             create trigger more after update on documents for each row execute function more()",
        )
        .await
        .unwrap();
    let text = story(TABLE, "backfill update documents set n = n + 1 in batches of 10");
    up(database.url(), &text, Options::default()).await.unwrap();
    let found =
        "select concat_ws(' ', count(*), count(*) filter (where n = 1), count(*) filter (where title = 'new' and n = 0)) from documents";
    assert_eq!(database.text(found).await.unwrap(), "200 100 100");
}

#[tokio::test]
async fn it_is_cut_out_of_the_transaction_around_it() {
    let database = Database::create(server()).await;
    up(database.url(), &beginning(TABLE), Options::default()).await.unwrap();
    database.execute("insert into documents (id) select generate_series(1, 100)").await.unwrap();
    let text = story(
        TABLE,
        "alter table documents add column label text;\nbackfill update documents set label = 'x' where label is null in batches of 30;\n\
         alter table documents alter column label set not null",
    );
    let plan = Migrator::new(database.url()).unwrap().plan(chain(&text), None).await.unwrap();
    let planned: Vec<_> = plan.revisions[0].operations.iter().map(|operation| (operation.transaction, operation.batch)).collect();
    assert_eq!(planned, [(Some(1), None), (None, Some(30)), (Some(2), None)]);
    assert_eq!(plan.revisions[0].operations[1].sql, ["update documents set label = 'x'\nwhere label is null"]);
    up(database.url(), &text, Options::default()).await.unwrap();
    assert_eq!(database.text("select count(*)::text from documents where label = 'x'").await.unwrap(), "100");
}

#[tokio::test]
async fn an_optional_table_that_is_absent_is_skipped_and_caught_up_with() {
    let database = Database::create(server()).await;
    let text = "=== aaa111 m1\n--- optional\ncreate table events (id int primary key, n int);\n--- up\n\
                backfill update events set n = n + 1 in batches of 10;\n--- irreversible rows\n";
    up(database.url(), text, Options::default()).await.unwrap();
    assert_eq!(journal(&database, "aaa111").await, "applied: 2 skipped table events is absent");
    database
        .execute("create table events (id int primary key, n int); insert into events select i, i from generate_series(1, 55) as i")
        .await
        .unwrap();
    up(database.url(), text, Options::default()).await.unwrap();
    assert_eq!(database.text("select sum(n - id)::text from events").await.unwrap(), "55");
    assert!(journal(&database, "aaa111").await.starts_with("applied: 2 applied 55 of 55 rows"), "{}", journal(&database, "aaa111").await);
}

#[tokio::test]
async fn a_row_that_cant_be_changed_stops_it_and_the_next_up_goes_on_behind_what_is_done() {
    let database = Database::create(server()).await;
    up(database.url(), &beginning(TABLE), Options::default()).await.unwrap();
    database.execute("insert into documents (id) select generate_series(1, 100); alter table documents add constraint small check (n < 1 or id <> 77)").await.unwrap();
    let text = story(TABLE, "backfill update documents set n = n + 1 in batches of 5");
    let options = Options { batch_target: std::time::Duration::from_millis(1), ..Options::default() };
    let error = up(database.url(), &text, options).await.unwrap_err();
    assert_eq!(error.sqlstate().as_deref(), Some("23514"));
    let passed: i64 = database.text("select rows_passed::text from _migrate.backfills").await.unwrap().parse().unwrap();
    assert!((5..77).contains(&passed), "{passed}");
    assert!(error.to_string().contains(&format!("{passed} rows in ")), "{error}");
    assert_eq!(journal(&database, "bbb222").await, "started: 1 started ");
    database.execute("alter table documents drop constraint small").await.unwrap();
    let told = Told::default();
    up(database.url(), &text, told.by(Options::default())).await.unwrap();
    let progress = told.progress();
    assert!(progress[0].resumed && progress[0].passed == u64::try_from(passed).unwrap(), "{progress:?}");
    assert_eq!(database.text("select concat_ws(' ', min(n), max(n)) from documents").await.unwrap(), "1 1");
    assert!(journal(&database, "bbb222").await.contains(", 2 runs and "), "{}", journal(&database, "bbb222").await);
}
