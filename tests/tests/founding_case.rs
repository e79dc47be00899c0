//! The founding case, on a real server: `examples/ma-saas` on databases of every shape.
#![expect(clippy::unwrap_used, reason = "a test that can't go on has failed")]

#[path = "founding_case/oracle.rs"]
mod oracle;
#[path = "founding_case/shapes.rs"]
mod shapes;

use ma_saas::migrations::MIGRATIONS;
use migrate_runtime::{Database as Migrator, Outcome, Summary};
use migrate_tests::{Database, server};
use shapes::{OPTIONAL_TABLES, load, load_all};

const BASELINE: &str = "b354d12d1e7d";
const DOCUMENT_AI: &str = "774225e563ca";
const HEAD: &str = "aae3309a2a8b";

async fn up(database: &Database) -> migrate_runtime::Result<Summary> {
    Migrator::new(database.url())?.up(MIGRATIONS, None).await
}

async fn up_to(database: &Database, revision: &str) -> migrate_runtime::Result<Summary> {
    Migrator::new(database.url())?.up(MIGRATIONS, Some(revision)).await
}

/// A database at the baseline, with these optional tables.
async fn deployment(tables: &[&str]) -> Database {
    let database = Database::create(server()).await;
    up_to(&database, BASELINE).await.unwrap();
    load(&database, tables).await;
    database
}

async fn current(database: &Database) -> Vec<String> {
    let status = Migrator::new(database.url()).unwrap().status(MIGRATIONS).await.unwrap();
    status.current().iter().map(|row| row.revision.clone()).collect()
}

fn count(summary: &Summary, outcome: Outcome) -> usize {
    summary.revisions.iter().map(|revision| revision.count(outcome)).sum()
}

#[tokio::test]
async fn production_reaches_head_and_names_every_missing_table() {
    let database = Database::create(server()).await;
    let summary = up(&database).await.unwrap();
    assert_eq!(current(&database).await, [HEAD]);
    let skipped = database.text("select string_agg(evidence, ' ') from _migrate.skipped").await.unwrap();
    for table in OPTIONAL_TABLES {
        assert!(skipped.contains(&format!("table {table} is absent")), "nothing says that {table} is absent");
    }
    assert!(count(&summary, Outcome::Skipped) > 400);
    assert!(!database.log_contains_sqlstate("25P02").await);
}

#[tokio::test]
async fn development_applies_everything() {
    let database = Database::create(server()).await;
    up_to(&database, BASELINE).await.unwrap();
    load_all(&database).await;
    let summary = up(&database).await.unwrap();
    assert_eq!(current(&database).await, [HEAD]);
    assert_eq!(count(&summary, Outcome::Skipped), 0);
    assert!(count(&summary, Outcome::Applied) > 600);
    assert!(!database.log_contains_sqlstate("25P02").await);
}

#[tokio::test]
async fn a_second_up_does_nothing() {
    let database = Database::create(server()).await;
    up(&database).await.unwrap();
    let before = database.dump().await;
    assert!(up(&database).await.unwrap().revisions.is_empty());
    assert_eq!(database.dump().await, before);
}

#[tokio::test]
async fn a_module_that_arrives_late_catches_up() {
    let late = deployment(&[]).await;
    up(&late).await.unwrap();
    let pipeline = ["pipeline_templates", "pipeline_template_stages"];
    load(&late, &pipeline).await;
    let summary = up(&late).await.unwrap();
    assert!(summary.revisions.iter().all(|revision| revision.direction == "replay"));
    assert!(count(&summary, Outcome::Applied) > 20);

    let early = deployment(&pipeline).await;
    up(&early).await.unwrap();
    assert_eq!(late.dump().await, early.dump().await);
    let left = late.text("select count(*)::text from _migrate.skipped where evidence like '%pipeline_template%'").await.unwrap();
    assert_eq!(left, "0");
    assert!(!late.log_contains_sqlstate("25P02").await);
}

/// Runs `up` into an error of the data, and checks that it left nothing; then mends the data and goes on.
async fn a_real_error_is_not_a_skip(break_it: &str, sqlstate: &str, operation: &str, mend_it: &str) {
    let database = deployment(&[]).await;
    database.execute(break_it).await.unwrap();
    let mut before = database.dump().await;
    let mut recorded = current(&database).await;
    let error = loop {
        let next = MIGRATIONS.migrations.iter().find(|migration| !recorded_or_before(&recorded, migration.revision)).unwrap();
        match up_to(&database, next.revision).await {
            Ok(_) => {
                before = database.dump().await;
                recorded.push(next.revision.to_owned());
            }
            Err(error) => break error,
        }
    };
    assert_eq!(error.sqlstate().as_deref(), Some(sqlstate), "{error}");
    let text = error.to_string();
    assert!(text.contains(operation), "{text}");
    assert!(text.contains(".rs:"), "{text}");
    assert!(text.contains("now: ") && text.contains("help: "), "{text}");
    assert_eq!(database.dump().await, before, "something of the failed migration remains");
    let journalled = format!("select count(*)::text from _migrate.operations where outcome = 'failed' and sqlstate = '{sqlstate}'");
    assert_eq!(database.text(&journalled).await.unwrap(), "1");
    database.execute(mend_it).await.unwrap();
    up(&database).await.unwrap();
    assert_eq!(current(&database).await, [HEAD]);
    assert!(!database.log_contains_sqlstate("25P02").await);
}

fn recorded_or_before(recorded: &[String], revision: &str) -> bool {
    recorded.iter().any(|known| known == revision)
}

#[tokio::test]
async fn a_null_under_a_new_not_null_stops_the_migration() {
    a_real_error_is_not_a_skip(
        shapes::NULL_LOGIN_COUNT,
        "23502",
        "users.login_count",
        "update users set login_count = 0 where login_count is null",
    )
    .await;
}

#[tokio::test]
async fn a_cast_that_fails_stops_the_migration() {
    a_real_error_is_not_a_skip(shapes::ODD_DOCUMENT_ID, "22P02", "documents", "delete from documents where id = 'not-a-uuid'").await;
}

#[tokio::test]
async fn an_orphan_under_a_new_foreign_key_stops_the_migration() {
    a_real_error_is_not_a_skip(
        shapes::ORPHANED_MANAGER,
        "23503",
        "users_manager_id_fkey",
        "update users set manager_id = null where manager_id is not null",
    )
    .await;
}

#[tokio::test]
async fn stamping_works_on_an_empty_and_on_a_stamped_database() {
    let database = Database::create(server()).await;
    let migrator = Migrator::new(database.url()).unwrap();
    let stamped = migrator.stamp(MIGRATIONS, DOCUMENT_AI).await.unwrap();
    assert_eq!(stamped.revision, DOCUMENT_AI);
    assert_eq!(stamped.recorded.len(), 3);
    assert!(stamped.target.contains("port") && stamped.target.contains(database.name()), "{}", stamped.target);
    let again = migrator.stamp(MIGRATIONS, DOCUMENT_AI).await.unwrap();
    assert!(again.recorded.is_empty());
    assert_eq!(current(&database).await, [DOCUMENT_AI]);
}

#[tokio::test]
async fn up_goes_on_from_a_stamp() {
    // a database that somebody brought to 774225e563ca by other means
    let database = deployment(&[]).await;
    up_to(&database, DOCUMENT_AI).await.unwrap();
    database.execute("drop schema _migrate cascade").await.unwrap();
    Migrator::new(database.url()).unwrap().stamp(MIGRATIONS, DOCUMENT_AI).await.unwrap();
    let summary = up(&database).await.unwrap();
    assert_eq!(summary.revisions.first().map(|revision| revision.revision.as_str()), Some("d47310025be2"));
    assert_eq!(current(&database).await, [HEAD]);
}

#[tokio::test]
async fn without_savepoints_and_verdicts_the_chain_fails_as_alembic_did() {
    let database = deployment(&[]).await;
    let report = oracle::run_in_one_transaction(&database, MIGRATIONS, DOCUMENT_AI).await;
    assert_eq!(report.first_error, "42P01", "the first error names a missing table");
    assert!(report.aborted > 300, "after it, {} statements failed with 25P02", report.aborted);
    assert_eq!(report.version_update.as_deref(), Some("25P02"), "even recording the version fails");
    assert!(database.log_contains_sqlstate("25P02").await);
}

mod subsets {
    use super::*;
    use proptest::prelude::*;
    use proptest::test_runner::{Config, TestCaseError, TestRunner};

    #[test]
    fn any_mixture_ends_as_if_done_by_hand() {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let mut runner = TestRunner::new(Config { cases: 50, max_shrink_iters: 40, failure_persistence: None, ..Config::default() });
        let subset = proptest::sample::subsequence(OPTIONAL_TABLES.to_vec(), 0..=OPTIONAL_TABLES.len());
        let result = runner.run(&subset, |tables| {
            runtime.block_on(async {
                let ours = deployment(&tables).await;
                up(&ours).await.map_err(|error| TestCaseError::fail(error.to_string()))?;
                let by_hand = deployment(&tables).await;
                oracle::apply_what_applies(&by_hand, MIGRATIONS).await;
                prop_assert_eq!(ours.dump().await, by_hand.dump().await);
                prop_assert!(!ours.log_contains_sqlstate("25P02").await);
                Ok(())
            })
        });
        if let Err(error) = result {
            panic!("{error}");
        }
    }
}
