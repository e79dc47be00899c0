//! The ways in which migrations go wrong on PostgreSQL, each provoked on a real server.
//!
//! Those that have suites of their own: a connection that breaks, and a COMMIT whose answer is lost (`lost_connection`,
//! `chaos`), a table that is missing (`founding_case`), many migrators at once (`chaos/together.rs`), a pooler (`pooler`),
//! timeouts of the application (`timeouts`), deadlocks and locks of the application (`cli/locks.rs`), an object with
//! another definition (`partial`, and `cli/errors.rs`), names that are too long (`naming`, `ui`), scans under a lock (`cases/lints`).
#![expect(clippy::unwrap_used, reason = "a test that can't go on has failed")]

mod enums;
mod history;
mod indexes;
mod locks;
mod partial;
mod privileges;
mod replicas;
mod resources;
mod savepoints;
mod shadows;
mod triggers;

use migrate_runtime::{Database as Migrator, Error, Summary};
use migrate_tests::Database;
use migrate_tests::chain::chain;

/// No advisory lock is held in the database: a session that ends takes a moment to give its own back.
const NO_LOCK: &str = "not exists (select from pg_locks where locktype = 'advisory' \
                       and database = (select oid from pg_database where datname = current_database()))";

/// Runs `up` with the chain that the text describes.
async fn up(database: &Database, text: &str) -> Result<Summary, Error> {
    Migrator::new(database.url()).unwrap().up(chain(text), None).await
}

/// All that the journal has, in its order: revision, number of the operation, outcome.
async fn journal(database: &Database) -> String {
    let rows = "select coalesce(string_agg(concat_ws(' ', revision, number, outcome), ', ' order by id), '') from _migrate.operations";
    database.text(rows).await.unwrap()
}

/// Waits until a query gives `true`.
async fn until(database: &Database, condition: &str) {
    for _ in 0..1000 {
        if database.text(&format!("select ({condition})::text")).await.unwrap() == "true" {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("it never came true that {condition}");
}
