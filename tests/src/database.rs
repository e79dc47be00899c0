//! A database of its own for every test.

use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::SystemTime;

use sqlx::postgres::{PgConnection, PgPool, PgPoolOptions};
use sqlx::{AssertSqlSafe, Connection, Executor, Row};

use crate::log::{LogError, LogTail};
use crate::server::{LOG_LINE_PREFIX, LOG_VARIABLE, Server};

/// Raised and looked for in the log before anything is said about what the log does not have.
const MARKER_SQLSTATE: &str = "MT001";

/// An empty database with a unique name, dropped with this value, whoever is still connected.
#[derive(Debug)]
pub struct Database {
    name: String,
    url: String,
    server_url: String,
    log: Option<LogTail>,
}

impl Database {
    /// Creates one on this server.
    ///
    /// # Panics
    /// Where the server can't be reached, or its role may not create databases.
    pub async fn create(server: &Server) -> Self {
        Self::from_template(server, "template0").await
    }

    /// Creates a copy of this one, to which nobody may be connected meanwhile.
    ///
    /// # Panics
    /// Where somebody is, or as [`create`](Self::create) does.
    pub async fn copy(&self, server: &Server) -> Self {
        Self::from_template(server, &self.name).await
    }

    async fn from_template(server: &Server, template: &str) -> Self {
        let name = unique_name();
        let log = server.log().map(|path| {
            LogTail::from_now_on(path).unwrap_or_else(|error| panic!("cannot read the server's log `{}`: {error}", path.display()))
        });
        let server_url = server.url().to_owned();
        administer(&server_url, &format!("create database {name} template {template}"))
            .await
            .unwrap_or_else(|error| panic!("cannot create a database on the test server: {error}"));
        Self { url: server.database_url(&name), name, server_url, log }
    }

    /// Its name, which needs no quotes.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The URL for a superuser's connection.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The same database as another role sees it.
    ///
    /// # Panics
    /// Never: the URL was one before.
    #[must_use]
    pub fn url_as(&self, role: &str) -> String {
        let mut url = url::Url::parse(&self.url).expect("made from a parsed URL");
        url.set_username(role).expect("has a host");
        url.into()
    }

    /// A new connection.
    ///
    /// # Panics
    /// Where the server refuses it.
    pub async fn connect(&self) -> PgConnection {
        PgConnection::connect(&self.url).await.unwrap_or_else(|error| panic!("cannot connect to the test database {}: {error}", self.name))
    }

    /// A new pool of at most five connections, made as they are needed.
    ///
    /// # Panics
    /// Never: the URL was one before.
    #[must_use]
    pub fn pool(&self) -> PgPool {
        PgPoolOptions::new().max_connections(5).connect_lazy(&self.url).expect("made from a parsed URL")
    }

    /// Runs any number of statements on a connection of their own, in one implicit transaction.
    ///
    /// # Errors
    /// Of the first statement that fails.
    pub async fn execute(&self, sql: &str) -> Result<(), sqlx::Error> {
        let mut connection = self.connect().await;
        let result = connection.execute(sqlx::raw_sql(AssertSqlSafe(sql))).await;
        connection.close().await?;
        result.map(drop)
    }

    /// The first column of the first row, as text: write `select count(*)::text …`.
    ///
    /// # Errors
    /// Where the query fails, or gives no row, or gives something that is not text.
    pub async fn text(&self, sql: &str) -> Result<String, sqlx::Error> {
        let mut connection = self.connect().await;
        let row = connection.fetch_one(sqlx::raw_sql(AssertSqlSafe(sql))).await;
        connection.close().await?;
        row?.try_get(0)
    }

    /// The whole schema as text: one line for each object and each column (more where a definition has more, the rest
    /// indented), in an order that depends only on names. Two databases whose dumps are equal have the same tables,
    /// columns (whatever their order), constraints, indexes, views, types, sequences, functions, triggers, policies,
    /// comments and grants on relations; owners and data are left out, and so is the schema `_migrate`.
    ///
    /// # Panics
    /// Where the catalog can't be read.
    pub async fn dump(&self) -> String {
        let mut connection = self.connect().await;
        // With an empty search path every definition comes out with all its names qualified.
        connection.execute("set search_path = ''").await.expect("a setting that exists");
        let rows = connection.fetch_all(include_str!("dump.sql")).await;
        let rows = rows.unwrap_or_else(|error| panic!("cannot dump the database {}: {error}", self.name));
        connection.close().await.expect("an idle connection closes");
        let mut dump = String::new();
        for row in rows {
            let line: String = row.get("line");
            dump.push_str(&line.replace('\n', "\n    "));
            dump.push('\n');
        }
        dump
    }

    /// The errors that the server logged for this database since it was created, in order.
    ///
    /// # Panics
    /// Where the log can't be read, or where an error that is raised here on purpose does not turn up in it: no log can
    /// prove anything then.
    pub async fn logged_errors(&self) -> Vec<LogError> {
        let Some(log) = &self.log else {
            panic!("the test server's log is not known\nhelp: set `{LOG_VARIABLE}` to its path");
        };
        let raise = format!("do $$ begin raise exception 'marker' using errcode = '{MARKER_SQLSTATE}'; end $$");
        self.execute(&raise).await.expect_err("the marker is an error");
        let mut errors = log.errors_of(&self.name).unwrap_or_else(|error| panic!("cannot read the log: {error}"));
        let marked = errors.len();
        errors.retain(|error| error.sqlstate != MARKER_SQLSTATE);
        assert!(
            errors.len() < marked,
            "the test server's log does not have the error that was just raised\n\
             help: its `log_line_prefix` must have `{LOG_LINE_PREFIX}` in it, and `log_min_messages` be `error` or lower"
        );
        errors
    }

    /// Whether the server logged an error with this SQLSTATE for this database since it was created.
    ///
    /// # Panics
    /// As [`logged_errors`](Self::logged_errors) does.
    pub async fn log_contains_sqlstate(&self, sqlstate: &str) -> bool {
        self.logged_errors().await.iter().any(|error| error.sqlstate == sqlstate)
    }
}

impl Drop for Database {
    /// On a thread of its own, since a test's runtime can't be waited for from inside of it.
    #[expect(clippy::print_stderr, reason = "a panic here would hide why the test failed")]
    fn drop(&mut self) {
        let sql = format!("drop database if exists {} with (force)", self.name);
        let dropped = thread::scope(|scope| {
            scope
                .spawn(|| {
                    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
                    runtime.block_on(administer(&self.server_url, &sql))
                })
                .join()
        });
        if !matches!(dropped, Ok(Ok(()))) {
            eprintln!("the test database {} could not be dropped: {dropped:?}", self.name);
        }
    }
}

async fn administer(server_url: &str, sql: &str) -> Result<(), sqlx::Error> {
    let mut connection = PgConnection::connect(server_url).await?;
    connection.execute(sqlx::raw_sql(AssertSqlSafe(sql))).await?;
    connection.close().await
}

/// Unique on a server that several test runs share, too.
fn unique_name() -> String {
    static COUNTER: AtomicU32 = AtomicU32::new(0);
    let number = COUNTER.fetch_add(1, Ordering::Relaxed);
    let now = SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default().as_micros();
    format!("migrate_test_{}_{now:x}_{number}", std::process::id())
}
