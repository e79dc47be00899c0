//! Rust steps and assertions on PostgreSQL: whatever a step does, the migration stays one transaction.
#![expect(clippy::unwrap_used, reason = "a test that can't go on has failed")]

use migrate_core::replay::{replay, steps};
use migrate_core::schema::Schema;
use migrate_core::step::{Action, Step};
use migrate_runtime::{Database as Migrator, Down, Error, Migration, Migrations, StepFunction, StepFuture, Tx};
use migrate_tests::{Database, server};
use sqlx::{Connection, Executor};

/// A chain of one migration: `before`, the step, `after`.
fn chain(before: &str, action: Action, after: &str, function: StepFunction) -> Migrations {
    let mut schema = Schema::default();
    let mut all = steps(before).unwrap();
    all.push(Step::new(action, 7));
    all.extend(steps(after).unwrap());
    assert!(replay(&mut all, &mut schema, "m1").is_empty());
    let migration = Migration {
        revision: "r1",
        parents: &[],
        name: "m1",
        file: "m1.rs",
        summary: "",
        checksum: "1:test",
        up: serde_json::to_string(&all).unwrap().leak(),
        down: Down::Irreversible("a test"),
        functions: vec![("step", function)].leak(),
        batch_functions: &[],
    };
    Migrations::new(vec![&*Box::leak(Box::new(migration))].leak())
}

fn run() -> Action {
    Action::Run { function: "step".to_owned() }
}

fn nested<'a>(tx: &'a mut Tx<'_>) -> StepFuture<'a> {
    Box::pin(async move {
        let mut own = tx.postgres()?.begin().await?;
        own.execute("insert into public.items values (1)").await?;
        own.commit().await?;
        Ok(())
    })
}

fn undone<'a>(tx: &'a mut Tx<'_>) -> StepFuture<'a> {
    Box::pin(async move {
        let mut own = tx.postgres()?.begin().await?;
        own.execute("insert into public.items values (1)").await?;
        own.rollback().await?;
        tx.execute("insert into public.items values (2)").await?;
        Ok(())
    })
}

fn commits<'a>(tx: &'a mut Tx<'_>) -> StepFuture<'a> {
    Box::pin(async move {
        tx.execute("commit").await?;
        Ok(())
    })
}

fn commits_and_fails<'a>(tx: &'a mut Tx<'_>) -> StepFuture<'a> {
    Box::pin(async move {
        tx.execute("commit").await?;
        Err(Error::step("the titles are not ready"))
    })
}

fn fails<'a>(_: &'a mut Tx<'_>) -> StepFuture<'a> {
    Box::pin(async { Err(Error::step("the titles are not ready")) })
}

/// The revisions that were applied, and what failed.
const RECORDED: &str = "select coalesce(string_agg(revision, ','), '') from _migrate.revisions where state = 'applied'";
const FAILED: &str = "select coalesce(string_agg(evidence, ','), '') from _migrate.operations where outcome = 'failed'";

async fn exists(database: &Database, table: &str) -> bool {
    database.text(&format!("select (to_regclass('public.{table}') is not null)::text")).await.unwrap() == "true"
}

#[tokio::test]
async fn a_transaction_of_the_step_is_part_of_the_migration() {
    let database = Database::create(server()).await;
    let chain = chain("create table items (id int)", run(), "alter table items add constraint one check (id > 5)", nested);
    let error = Migrator::new(database.url()).unwrap().up(chain, None).await.unwrap_err();
    assert_eq!(error.sqlstate().as_deref(), Some("23514"), "{error}");
    assert!(!exists(&database, "items").await, "the step's commit has committed the migration");
}

#[tokio::test]
async fn a_rollback_of_the_step_undoes_the_step_alone() {
    let database = Database::create(server()).await;
    let chain = chain("create table items (id int)", run(), "alter table items add column note text", undone);
    Migrator::new(database.url()).unwrap().up(chain, None).await.unwrap();
    assert_eq!(database.text("select string_agg(id::text, ',') from items").await.unwrap(), "2");
}

#[tokio::test]
async fn a_step_that_ends_the_transaction_is_told_so() {
    let database = Database::create(server()).await;
    let (before, after) = ("create table items (id int)", "alter table items add column note text");
    let migrator = Migrator::new(database.url()).unwrap();
    let error = migrator.up(chain(before, run(), after, commits), None).await.unwrap_err().to_string();
    assert!(error.contains("run `step` (m1.rs:7) has ended the migration's transaction"), "{error}");
    assert!(error.contains("now: what came before it in the migration is committed, and not recorded"), "{error}");
    assert!(error.contains("help: take `commit` and `rollback` out of the step"), "{error}");
    // what the error says is so
    assert!(exists(&database, "items").await);
    assert_eq!(database.text(RECORDED).await.unwrap(), "");
    assert_eq!(database.text(FAILED).await.unwrap(), "has ended the migration's transaction");
    migrator.up(chain(before, run(), after, undone), None).await.unwrap();
    assert_eq!(database.text(RECORDED).await.unwrap(), "r1");
    assert_eq!(database.text("select string_agg(id::text || coalesce(note, ''), ',') from items").await.unwrap(), "2");
}

#[tokio::test]
async fn a_step_that_ends_the_transaction_and_fails_is_told_so() {
    let database = Database::create(server()).await;
    let chain = chain("create table items (id int)", run(), "alter table items add column note text", commits_and_fails);
    let error = Migrator::new(database.url()).unwrap().up(chain, None).await.unwrap_err().to_string();
    assert!(error.contains("has ended the migration's transaction, and then failed: the titles are not ready"), "{error}");
    assert!(!error.contains("rolled back whole"), "{error}");
    assert!(exists(&database, "items").await);
}

#[tokio::test]
async fn a_step_that_fails_takes_its_migration_with_it() {
    let database = Database::create(server()).await;
    let chain = chain("create table items (id int)", run(), "alter table items add column note text", fails);
    let error = Migrator::new(database.url()).unwrap().up(chain, None).await.unwrap_err().to_string();
    assert!(error.contains("the titles are not ready") && error.contains("m1.rs:7"), "{error}");
    assert!(!exists(&database, "items").await);
}

#[tokio::test]
async fn an_assertion_holds_or_stops_the_migration() {
    for (query, holds) in [
        ("select count(*) = 0 from public.items", true),
        ("select count(*) > 0 from public.items", false),
        ("select id from public.items", false),
        ("select null::boolean", false),
    ] {
        let database = Database::create(server()).await;
        let assert = Action::Assert { message: "there are no items".to_owned(), query: query.to_owned() };
        let chain = chain("create table items (id int)", assert, "alter table items add column note text", fails);
        let result = Migrator::new(database.url()).unwrap().up(chain, None).await;
        assert_eq!(result.is_ok(), holds, "{query}");
        assert_eq!(exists(&database, "items").await, holds, "{query}");
        if let Err(error) = result {
            assert!(error.to_string().contains("there are no items"), "{error}");
        }
        assert!(!database.log_contains_sqlstate("25P02").await);
    }
}
