//! Rust steps, assertions, and statements of SQLite's own.

use super::chain::{Draft, chain};
use super::database::{File, count};
use migrate_runtime::{Error, Outcome, StepFuture, Tx};
use sqlx::Connection as _;

fn backfill<'a>(tx: &'a mut Tx<'_>) -> StepFuture<'a> {
    Box::pin(async move {
        let changed = tx.execute("update notes set title = 'note ' || id where title is null").await?;
        if changed == 0 {
            return Err(Error::step("there are no notes"));
        }
        let notes: i64 = sqlx::query_scalar("select count(*) from notes where id > ?").bind(0).fetch_one(tx.sqlite()?).await?;
        assert!(notes > 0);
        Ok(())
    })
}

fn nested<'a>(tx: &'a mut Tx<'_>) -> StepFuture<'a> {
    Box::pin(async move {
        let connection = tx.sqlite()?;
        let mut inner = connection.begin().await?;
        sqlx::query("insert into notes (id) values (10)").execute(&mut *inner).await?;
        inner.commit().await?;
        let mut inner = connection.begin().await?;
        sqlx::query("insert into notes (id) values (11)").execute(&mut *inner).await?;
        inner.rollback().await?;
        Ok(())
    })
}

fn commit<'a>(tx: &'a mut Tx<'_>) -> StepFuture<'a> {
    Box::pin(async move { tx.execute("commit").await.map(drop) })
}

fn constraint<'a>(tx: &'a mut Tx<'_>) -> StepFuture<'a> {
    Box::pin(async move { tx.execute("insert into notes (id) values (1), (1)").await.map(drop) })
}

fn make_tags<'a>(tx: &'a mut Tx<'_>) -> StepFuture<'a> {
    Box::pin(async move { tx.execute("create table \"tags\" (name text not null)").await.map(drop) })
}

fn base() -> Draft {
    Draft::new("a1", &[]).up("create table notes (id bigint primary key, title text)")
}

#[tokio::test]
async fn a_rust_step_works_in_the_transaction_of_its_migration() {
    let file = File::new();
    let chain =
        chain(vec![base(), Draft::new("b2", &["a1"]).run("backfill", backfill).up("alter table notes alter column title set not null")]);
    file.database().up(chain, Some("a1")).await.unwrap();

    let error = file.up(chain).await.unwrap_err();
    assert!(error.to_string().contains("run `backfill`") && error.to_string().contains("there are no notes"), "{error}");

    file.execute("insert into notes (id) values (1), (2)").await;
    file.up(chain).await.unwrap();
    assert_eq!(file.text("select title as line from notes order by id").await, "note 1\nnote 2");
    assert_eq!(file.journal("b2").await, "1 failed run `backfill`\n1 applied run `backfill`\n2 applied set column `notes.title` not null");
}

#[tokio::test]
async fn a_step_that_fails_is_undone_with_its_migration() {
    let file = File::new();
    let chain = chain(vec![base(), Draft::new("b2", &["a1"]).up("insert into notes values (5, 'x')").run("constraint", constraint)]);
    let error = file.up(chain).await.unwrap_err();
    assert_eq!(error.sqlstate().as_deref(), Some("SQLITE_CONSTRAINT_PRIMARYKEY (1555)"), "{error}");
    assert_eq!(file.text("select count(*) as line from notes").await, "0");
}

#[tokio::test]
async fn a_transaction_in_a_step_is_a_savepoint_of_the_migration() {
    let file = File::new();
    let chain = chain(vec![base(), Draft::new("b2", &["a1"]).run("nested", nested)]);
    file.up(chain).await.unwrap();
    assert_eq!(file.text("select id as line from notes").await, "10");
}

#[tokio::test]
async fn a_step_must_not_commit() {
    let file = File::new();
    let chain = chain(vec![base(), Draft::new("b2", &["a1"]).run("commit", commit)]);
    let error = file.up(chain).await.unwrap_err();
    assert!(error.to_string().contains("has ended the migration's transaction"), "{error}");
    assert!(!error.to_string().contains("rolled back whole"), "{error}");
    assert_eq!(file.journal("b2").await, "1 failed run `commit`");
    // the session is a new one, and goes on
    assert_eq!(file.status(chain).await.pending(), 1);
}

#[tokio::test]
async fn what_a_step_has_made_is_seen_by_what_follows() {
    let file = File::new();
    let chain = chain(vec![
        base(),
        Draft::new("b2", &["a1"])
            .run("make_tags", make_tags)
            .up("create table tags (name text not null)")
            .up("alter table tags add column colour text")
            .if_exists("alter table notes_archive add column colour text"),
    ]);
    let summary = file.up(chain).await.unwrap();
    assert_eq!((count(&summary, Outcome::Applied), count(&summary, Outcome::Satisfied), count(&summary, Outcome::Skipped)), (3, 1, 1));
    assert_eq!(file.text("select name as line from pragma_table_info('tags')").await, "name\ncolour");
}

#[tokio::test]
async fn an_assertion_stops_the_migration() {
    let file = File::new();
    let chain = chain(vec![
        base(),
        Draft::new("b2", &["a1"])
            .assert("every note has a title", "select count(*) = 0 from notes where title is null")
            .up("create table done (id bigint)"),
    ]);
    file.database().up(chain, Some("a1")).await.unwrap();
    file.execute("insert into notes (id) values (1)").await;
    let error = file.up(chain).await.unwrap_err();
    assert!(error.to_string().contains("every note has a title"), "{error}");
    file.execute("delete from notes").await;
    file.up(chain).await.unwrap();
    assert!(file.schema().await.contains("done"));
}

#[tokio::test]
async fn statements_of_sqlite_run_as_they_are_written() {
    let file = File::new();
    let chain = chain(vec![
        base().up("insert into notes values (1, 'a')"),
        Draft::new("b2", &["a1"])
            .sqlite("create virtual table search using fts5 (title)")
            .sqlite("create trigger notes_search after insert on notes begin insert into search values (new.title); end")
            .up("alter table notes add column body text"),
    ]);
    file.up(chain).await.unwrap();
    file.execute("insert into notes (id, title) values (2, 'needle')").await;
    assert_eq!(file.text("select title as line from search where search match 'needle'").await, "needle");
}

#[tokio::test]
async fn vacuum_runs_between_two_transactions() {
    let file = File::new();
    let chain = chain(vec![
        base(),
        Draft::new("b2", &["a1"]).up("alter table notes add column body text").sqlite("vacuum").up("create table after_it (id bigint)"),
    ]);
    let summary = file.up(chain).await.unwrap();
    assert_eq!(count(&summary, Outcome::Applied), 4);
    assert_eq!(file.text("select state as line from _migrate_revisions").await, "applied\napplied");
    assert!(file.up(chain).await.unwrap().revisions.is_empty());
}

#[tokio::test]
async fn tables_of_queries_have_their_rows_and_are_no_drift() {
    let file = File::new();
    let documents = Draft::new("a1", &[])
        .up("create table documents (id bigint primary key, title text)")
        .up("insert into documents values (1, 'Pillow'), (2, null)");
    let copies = Draft::new("b2", &["a1"])
        .up("create table archive as select * from documents")
        .up("create table counts as select title, count(*) from documents group by title");
    let chain = chain(vec![documents, copies]);
    file.up(chain).await.unwrap();
    assert_eq!(file.text("select typeof(id) || title as line from archive where title is not null").await, "integerPillow");
    assert_eq!(file.text("select count(*) as line from counts").await, "2");
    let report = file.database().check(chain).await.unwrap();
    assert_eq!((report.drift.as_slice(), report.exit_code()), ([].as_slice(), 0));

    file.down(chain, 1).await.unwrap();
    assert!(!file.schema().await.contains("archive"));
    assert!(!file.schema().await.contains("counts"));
    assert_eq!(file.text("select count(*) as line from documents").await, "2");
}

#[tokio::test]
async fn a_vacuum_that_fails_after_a_way_back_is_no_half_done_way_back() {
    let file = File::new();
    let copy = file.path().with_file_name("copy.db");
    let vacuum = format!("vacuum into '{}'", copy.display());
    let chain =
        chain(vec![base(), Draft::new("b2", &["a1"]).sqlite(&vacuum).up("create table after_it (id bigint)").down("drop table after_it")]);
    file.up(chain).await.unwrap();
    file.down(chain, 1).await.unwrap();
    let error = file.up(chain).await.unwrap_err();
    assert!(error.to_string().contains("output file already exists"), "{error}");
    std::fs::remove_file(&copy).unwrap();
    file.up(chain).await.unwrap();
    assert_eq!(file.text("select count(*) as line from sqlite_schema where name = 'after_it'").await, "1");
}
