//! Changes in batches, on real servers: every row once, whatever happens in between.
#![expect(clippy::unwrap_used, reason = "a test that can't go on has failed")]

mod crashes;
mod functions;
mod half_filled;
mod keys;
mod pace;
mod progress;

use migrate_runtime::{BackfillProgress, Database as Migrator, Error, Event, Options, Summary};
use migrate_tests::Database;
use migrate_tests::chain::chain;
use std::sync::{Arc, Mutex};

/// What was told while it worked.
#[derive(Clone, Default)]
struct Told(Arc<Mutex<Vec<Event>>>);

impl Told {
    /// The options, with this as the observer.
    fn by(&self, options: Options) -> Options {
        let told = Arc::clone(&self.0);
        Options { observer: Some(Arc::new(move |event: &Event| told.lock().unwrap().push(event.clone()))), ..options }
    }

    fn progress(&self) -> Vec<BackfillProgress> {
        let told = self.0.lock().unwrap();
        told.iter().filter_map(|event| if let Event::Backfill(progress) = event { Some(progress.clone()) } else { None }).collect()
    }

    /// Why batches had to wait.
    fn delays(&self) -> Vec<String> {
        let told = self.0.lock().unwrap();
        told.iter().filter_map(|event| if let Event::BatchDelayed { reason, .. } = event { Some(reason.clone()) } else { None }).collect()
    }
}

async fn up(url: &str, text: &str, options: Options) -> Result<Summary, Error> {
    Migrator::new(url).unwrap().with_options(options).up(chain(text), None).await
}

/// A chain whose second migration makes a change in batches of a table that the first one has made.
fn story(table: &str, backfill: &str) -> String {
    format!("=== aaa111 m1\n{table};\n=== bbb222 m2 after aaa111\n{backfill};\n--- irreversible rows\n")
}

/// The first migration of it alone.
fn beginning(table: &str) -> String {
    format!("=== aaa111 m1\n{table};\n")
}

/// The state of a revision, and the last word on its operations.
async fn journal(database: &Database, revision: &str) -> String {
    let sql = format!(
        "select coalesce((select state from _migrate.revisions where revision = '{revision}'), 'none') || ': ' || \
         coalesce((select string_agg(concat_ws(' ', number, outcome, evidence), ', ' order by number) from _migrate.latest \
         where revision = '{revision}'), '')"
    );
    database.text(&sql).await.unwrap()
}
