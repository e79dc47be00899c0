//! Opening a database file, and saying why it didn't work.

use super::codes::{CANTOPEN, Code};
use super::transaction::is_transient;
use super::wait::Wait;
use crate::{Error, Result};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, SqliteConnection};
use std::time::Duration;

/// The path, or that it is in memory.
pub(super) fn target(options: &SqliteConnectOptions) -> String {
    let path = options.get_filename().display().to_string();
    // what the driver calls databases in memory, to tell them apart
    if path.starts_with("file:sqlx-in-memory") || path == ":memory:" { "a database in memory".to_owned() } else { path }
}

/// Opens the database. `create`: also one that isn't there yet. `wait`: for how long, where somebody has locked it; to open
/// it can mean to switch its journal.
pub(super) async fn connect(options: &SqliteConnectOptions, create: bool, wait: Duration) -> Result<SqliteConnection> {
    open(options, create, &mut Wait::new(wait)).await
}

async fn open(options: &SqliteConnectOptions, create: bool, wait: &mut Wait) -> Result<SqliteConnection> {
    // whoever waits for a lock does it here, where the options say for how long
    let connect = options.clone().create_if_missing(create).busy_timeout(Duration::ZERO);
    loop {
        match connect.connect().await {
            Err(error) if is_transient(&error) && !wait.is_over() => wait.pause().await,
            opened => return opened.map_err(|error| refused(options, error)),
        }
    }
}

/// Opens the database, if there is one: none is made by looking.
pub(super) async fn connect_if_exists(options: &SqliteConnectOptions, wait: Duration) -> Result<Option<SqliteConnection>> {
    // a folder that can't be searched is nothing to be silent about
    let is_missing = || options.get_filename().try_exists().is_ok_and(|exists| !exists);
    let was_missing = is_missing();
    let mut wait = Wait::new(wait);
    match open(options, false, &mut wait).await {
        Ok(connection) => Ok(Some(connection)),
        Err(_) if is_missing() => Ok(None),
        // another migrator has just made it
        Err(_) if was_missing => open(options, false, &mut wait).await.map(Some),
        Err(error) => Err(error),
    }
}

fn refused(options: &SqliteConnectOptions, error: sqlx::Error) -> Error {
    let sqlx::Error::Database(database) = &error else {
        return Error::Connect { target: target(options), reason: error.to_string(), help: "correct the URL".to_owned() };
    };
    let code = Code::of(database.as_ref());
    let path = options.get_filename();
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let (reason, help) = match folder {
        _ if code.primary() == CANTOPEN && path.is_dir() => {
            ("that is a folder".to_owned(), "name the file in the URL: `sqlite://folder/app.db`".to_owned())
        }
        Some(folder) if code.primary() == CANTOPEN && !folder.exists() => (
            format!("the folder {} doesn't exist", folder.display()),
            format!("run `mkdir -p {}`, or correct the path in the URL", folder.display()),
        ),
        _ => (format!("{} ({})", database.message(), code.describe()), code.help().to_owned()),
    };
    Error::Connect { target: target(options), reason, help }
}

/// An error of our own statements.
pub(super) fn failed(doing: &'static str, error: sqlx::Error) -> Error {
    let sqlx::Error::Database(database) = error else {
        return Error::lost(error.to_string());
    };
    let code = Code::of(database.as_ref());
    Error::Server { doing, message: database.message().to_owned(), sqlstate: Some(code.describe()), help: code.help().to_owned() }
}
