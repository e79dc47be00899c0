//! The same chain without the engine: what a person with psql would do, and what Alembic did.

use migrate_core::operation::Operate;
use migrate_core::step::{Action, Step};
use migrate_runtime::Migrations;
use migrate_tests::Database;
use sqlx::{AssertSqlSafe, Connection, Executor};

/// The statements of a migration, in their order.
fn statements(json: &str) -> Vec<String> {
    let steps: Vec<Step> = serde_json::from_str(json).unwrap();
    let change = |step: &Step| match &step.action {
        Action::Change(operation) => operation.render(),
        _ => Vec::new(),
    };
    steps.iter().flat_map(change).collect()
}

/// Runs every statement after the baseline by itself and passes over those whose objects are missing.
pub async fn apply_what_applies(database: &Database, chain: Migrations) {
    let mut connection = database.connect().await;
    for migration in &chain.migrations[1..] {
        for sql in statements(migration.up) {
            let result = connection.execute(sqlx::raw_sql(AssertSqlSafe(sql.clone()))).await;
            let Err(error) = result else { continue };
            let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code).unwrap_or_default().into_owned();
            assert!(matches!(code.as_str(), "42P01" | "42703" | "42704"), "{sql}: {error}");
        }
    }
    connection.close().await.unwrap();
}

/// What happened to a chain that ran in one transaction without savepoints.
pub struct Poisoned {
    /// The code of the first error.
    pub first_error: String,
    /// How many later statements failed with 25P02.
    pub aborted: usize,
    /// The code with which recording the version failed.
    pub version_update: Option<String>,
}

/// Runs the statements from after the baseline to `last` in one transaction, every error swallowed, and records the
/// version at the end.
pub async fn run_in_one_transaction(database: &Database, chain: Migrations, last: &str) -> Poisoned {
    let mut connection = database.connect().await;
    connection
        .execute("create table alembic_version (version_num text); insert into alembic_version values ('b354d12d1e7d')")
        .await
        .unwrap();
    connection.execute("begin").await.unwrap();
    let mut codes = Vec::new();
    let end = chain.migrations.iter().position(|migration| migration.revision == last).unwrap();
    for sql in chain.migrations[1..=end].iter().flat_map(|migration| statements(migration.up)) {
        if let Err(error) = connection.execute(sqlx::raw_sql(AssertSqlSafe(sql))).await {
            codes.push(error.as_database_error().and_then(sqlx::error::DatabaseError::code).unwrap_or_default().into_owned());
        }
    }
    let update = connection.execute("update alembic_version set version_num = '774225e563ca'").await.err();
    let version_update = update.and_then(|error| Some(error.as_database_error()?.code()?.into_owned()));
    connection.execute("rollback").await.unwrap();
    connection.close().await.unwrap();
    Poisoned {
        first_error: codes.first().cloned().unwrap_or_default(),
        aborted: codes.iter().filter(|code| *code == "25P02").count(),
        version_update,
    }
}
