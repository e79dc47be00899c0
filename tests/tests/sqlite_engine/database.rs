//! A database file of its own for every test.

use migrate_runtime::{Database, DownTo, Event, Migrations, Options, Outcome, Plan, Result, Status, Summary};
use sqlx::{AssertSqlSafe, Connection as _, SqliteConnection};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

static NEXT: AtomicU32 = AtomicU32::new(0);

/// A folder that goes away with this value, and the path of a database in it. The file isn't there until somebody makes it.
pub struct File {
    folder: PathBuf,
}

impl File {
    pub fn new() -> Self {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("sqlite-engine-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        Self { folder }
    }

    pub fn folder(&self) -> &Path {
        &self.folder
    }

    pub fn path(&self) -> PathBuf {
        self.folder.join("app.db")
    }

    pub fn url(&self) -> String {
        format!("sqlite://{}", self.path().display())
    }

    pub fn database(&self) -> Database {
        Database::new(self.url().as_str()).unwrap().with_options(impatient())
    }

    pub async fn up(&self, chain: Migrations) -> Result<Summary> {
        self.database().up(chain, None).await
    }

    pub async fn down(&self, chain: Migrations, steps: usize) -> Result<Summary> {
        self.database().down(chain, &DownTo::Steps(steps)).await
    }

    pub async fn status(&self, chain: Migrations) -> Status {
        self.database().status(chain).await.unwrap()
    }

    pub async fn plan(&self, chain: Migrations) -> Plan {
        self.database().plan(chain, None).await.unwrap()
    }

    /// A connection of the application's, which makes the file if it isn't there.
    pub async fn connect(&self) -> SqliteConnection {
        SqliteConnection::connect(&format!("{}?mode=rwc", self.url())).await.unwrap()
    }

    pub async fn execute(&self, sql: &str) {
        let mut connection = self.connect().await;
        sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut connection).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
        connection.close().await.unwrap();
    }

    /// The first column of all rows, one a line; null is `-`.
    pub async fn text(&self, sql: &str) -> String {
        let mut connection = self.connect().await;
        let sql = format!(
            "select coalesce(group_concat(line, char(10)), '') from (select coalesce(cast(line as text), '-') as line from ({sql}))"
        );
        let text = sqlx::query_scalar(AssertSqlSafe(sql.clone())).fetch_one(&mut connection).await;
        connection.close().await.unwrap();
        text.unwrap_or_else(|error| panic!("{sql}: {error}"))
    }

    /// Everything that isn't the journal's, as SQLite keeps it.
    pub async fn schema(&self) -> String {
        self.text(
            "select sql as line from sqlite_schema where sql is not null and name not like 'sqlite\\_%' escape '\\'
             and tbl_name not like '\\_migrate\\_%' escape '\\' order by type desc, name",
        )
        .await
    }

    /// The journal: number, outcome, operation.
    pub async fn journal(&self, revision: &str) -> String {
        self.text(&format!(
            "select number || ' ' || outcome || ' ' || operation as line from _migrate_operations where revision = '{revision}' order by id"
        ))
        .await
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// Options for tests: waits that are long enough on a busy machine, and no longer.
pub fn impatient() -> Options {
    Options {
        lock_timeout: Duration::from_millis(200),
        lock_budget: Duration::from_secs(20),
        guard_wait: Duration::from_secs(20),
        ..Options::default()
    }
}

/// Options whose events are kept.
pub fn listening(options: Options) -> (Options, Arc<Mutex<Vec<Event>>>) {
    let events = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&events);
    let observer = Arc::new(move |event: &Event| kept.lock().unwrap().push(event.clone()));
    (Options { observer: Some(observer), ..options }, events)
}

/// How many operations of a summary came to that.
pub fn count(summary: &Summary, outcome: Outcome) -> usize {
    summary.revisions.iter().map(|revision| revision.count(outcome)).sum()
}
