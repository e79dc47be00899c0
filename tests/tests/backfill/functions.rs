//! Rust steps that work in batches, and the way back.

use crate::{Told, beginning, journal, up};
use migrate_core::checksum::checksum;
use migrate_core::name::QualifiedName;
use migrate_core::ops::Backfill;
use migrate_core::step::{Action, Step};
use migrate_runtime::{Batch, BatchFunction, BatchFuture, Database as Migrator, Down, DownTo, Migration, Migrations, Options, Tx};
use migrate_tests::chain::chain;
use migrate_tests::{Database, server};
use sqlx::Connection as _;
use std::time::Duration;

const TABLE: &str = "create table app.documents (tenant text, id int, n int not null default 0, primary key (tenant, id))";

fn migrations(function: BatchFunction) -> Migrations {
    let base = chain(&beginning(&format!("create schema app; {TABLE}"))).migrations[0];
    let operation = Backfill::run("step".to_owned(), QualifiedName::new("app", "documents"), 25);
    let steps = vec![Step::new(Action::Change(operation.into()), 3)];
    let migration = Migration {
        revision: "bbb222",
        parents: &["aaa111"],
        name: "m2",
        file: "m2.rs",
        summary: "",
        checksum: checksum(&steps, &[]).leak(),
        up: serde_json::to_string(&steps).unwrap().leak(),
        down: Down::Irreversible("rows"),
        functions: &[],
        batch_functions: vec![("step", function)].leak(),
    };
    Migrations::new(vec![base, Box::leak(Box::new(migration))].leak())
}

async fn filled() -> Database {
    let database = Database::create(server()).await;
    up(database.url(), &beginning(&format!("create schema app; {TABLE}")), Options::default()).await.unwrap();
    database.execute("insert into app.documents select 'tenant ' || i % 3, i from generate_series(1, 100) as i").await.unwrap();
    database
}

fn counts<'a>(tx: &'a mut Tx<'_>, batch: &'a Batch) -> BatchFuture<'a> {
    Box::pin(async move {
        assert!(batch.key().eq(["tenant", "id"]) && batch.upto().len() == 2 && batch.rows() <= 50, "{batch:?}");
        // a transaction of the driver's is a savepoint in ours
        let mut inner = tx.postgres()?.begin().await?;
        let sql = format!("update {} as d set n = n + 1 where {}", batch.table(), batch.condition_as("d"));
        let done = sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&mut *inner).await?;
        inner.commit().await?;
        Ok(done.rows_affected())
    })
}

#[tokio::test]
async fn a_function_gets_each_batch_in_its_transaction() {
    let database = filled().await;
    let told = Told::default();
    let options = told.by(Options { batch_target: Duration::from_millis(1), ..Options::default() });
    Migrator::new(database.url()).unwrap().with_options(options).up(migrations(counts), None).await.unwrap();
    assert_eq!(database.text("select concat_ws(' ', count(*), min(n), max(n)) from app.documents").await.unwrap(), "100 1 1");
    assert!(journal(&database, "bbb222").await.starts_with("applied: 1 applied 100 of 100 rows changed in "));
    assert!(told.progress().len() > 2);
}

fn fails<'a>(tx: &'a mut Tx<'_>, batch: &'a Batch) -> BatchFuture<'a> {
    Box::pin(async move {
        let done = tx.execute(&format!("update app.documents set n = n + 1 where {}", batch.condition())).await?;
        let far = tx.execute("update app.documents set n = n where tenant = 'tenant 2' and n > 0").await?;
        if far > 0 { Err(sqlx::Error::WorkerCrashed.into()) } else { Ok(done) }
    })
}

#[tokio::test]
async fn what_a_function_did_before_it_failed_is_rolled_back_with_its_batch() {
    let database = filled().await;
    let options = Options { batch_target: Duration::from_millis(1), ..Options::default() };
    Migrator::new(database.url()).unwrap().with_options(options).up(migrations(fails), None).await.unwrap_err();
    let passed = database.text("select rows_passed::text from _migrate.backfills").await.unwrap();
    assert_eq!(database.text("select count(*)::text from app.documents where n = 1").await.unwrap(), passed);
    assert_eq!(database.text("select max(n)::text from app.documents where tenant = 'tenant 2'").await.unwrap(), "0");
    Migrator::new(database.url()).unwrap().up(migrations(counts), None).await.unwrap();
    assert_eq!(database.text("select concat_ws(' ', count(*), min(n), max(n)) from app.documents").await.unwrap(), "100 1 1");
}

fn ends<'a>(tx: &'a mut Tx<'_>, _: &'a Batch) -> BatchFuture<'a> {
    Box::pin(async move { tx.execute("commit").await })
}

#[tokio::test]
async fn a_function_that_ends_the_transaction_is_found_out() {
    let database = filled().await;
    let error = Migrator::new(database.url()).unwrap().up(migrations(ends), None).await.unwrap_err();
    assert!(error.to_string().contains("has ended the migration's transaction"), "{error}");
    assert_eq!(database.text("select rows_passed::text from _migrate.backfills").await.unwrap(), "0");
}

#[tokio::test]
async fn the_way_back_may_be_in_batches_too_and_begins_anew_each_time() {
    let database = Database::create(server()).await;
    let table = "create table documents (id int primary key, n int not null default 0)";
    up(database.url(), &beginning(table), Options::default()).await.unwrap();
    database.execute("insert into documents select generate_series(1, 100)").await.unwrap();
    let text = format!(
        "=== aaa111 m1\n{table};\n=== bbb222 m2 after aaa111\nbackfill update documents set n = n + 1 in batches of 30;\n\
         --- down\nbackfill update documents set n = n - 1 in batches of 30;\n"
    );
    let migrator = Migrator::new(database.url()).unwrap();
    let sums = "select concat_ws(' ', count(*), min(n), max(n)) from documents";
    for _ in 0..2 {
        migrator.up(chain(&text), None).await.unwrap();
        assert_eq!(database.text(sums).await.unwrap(), "100 1 1");
        migrator.down(chain(&text), &DownTo::Steps(1)).await.unwrap();
        assert_eq!(database.text(sums).await.unwrap(), "100 0 0");
    }
    // nobody knows which rows an interrupted one has reached but its cursor: it is done to its end before it is taken back
    database.execute("alter table documents add constraint small check (n < 1 or id < 50)").await.unwrap();
    let options = Options { batch_target: Duration::from_millis(1), ..Options::default() };
    up(database.url(), &text, options).await.unwrap_err();
    database.execute("alter table documents drop constraint small").await.unwrap();
    let error = migrator.down(chain(&text), &DownTo::Steps(1)).await.unwrap_err();
    let passed = database.text("select rows_passed::text from _migrate.backfills").await.unwrap();
    assert_ne!(passed, "0");
    assert_eq!(
        error.what(),
        format!(
            "`m2` is half done: backfill `update documents set n = n + 1` in batches of 30 (chain.txt:4) was interrupted, and its batches \
             have passed {passed} rows"
        )
    );
    // or undone by hand, as it says
    let help = error.help().unwrap();
    let forget = help.split('`').find(|part| part.starts_with("delete from")).unwrap().to_owned();
    database.execute(&format!("update documents set n = 0; {forget}")).await.unwrap();
    migrator.down(chain(&text), &DownTo::Steps(1)).await.unwrap();
    assert_eq!(database.text(sums).await.unwrap(), "100 0 0", "what was undone by hand isn't undone again");
    migrator.up(chain(&text), None).await.unwrap();
    assert_eq!(database.text(sums).await.unwrap(), "100 1 1");
    migrator.down(chain(&text), &DownTo::Steps(1)).await.unwrap();
    assert_eq!(database.text(sums).await.unwrap(), "100 0 0");
    assert_eq!(database.text("select count(*)::text from _migrate.backfills").await.unwrap(), "0");
}
