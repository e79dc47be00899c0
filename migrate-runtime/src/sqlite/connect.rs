//! Opening a database file, and saying why it didn't work.

use super::codes::{CANTOPEN, Code};
use crate::{Error, Result};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions as _, SqliteConnection};
use std::time::Duration;

/// How long a statement that only reads waits for a writer to get done with its commit.
pub(super) const READ_TIMEOUT: Duration = Duration::from_secs(5);

/// The path, or that it is in memory.
pub(super) fn target(options: &SqliteConnectOptions) -> String {
    let path = options.get_filename().display().to_string();
    // what the driver calls databases in memory, to tell them apart
    if path.starts_with("file:sqlx-in-memory") || path == ":memory:" { "a database in memory".to_owned() } else { path }
}

/// Opens the database. `create`: also one that isn't there yet.
pub(super) async fn connect(options: &SqliteConnectOptions, create: bool) -> Result<SqliteConnection> {
    let connect = options.clone().create_if_missing(create).busy_timeout(READ_TIMEOUT);
    let mut attempts = 0;
    loop {
        match connect.connect().await {
            Ok(connection) => return Ok(connection),
            // SQLite says that it can't open a file while another connection is creating it
            Err(error) if attempts < 20 && cannot_open(&error) && may_appear(options, create) => {
                attempts += 1;
                tokio::time::sleep(Duration::from_millis(25)).await;
            }
            Err(error) => return Err(refused(options, error)),
        }
    }
}

fn cannot_open(error: &sqlx::Error) -> bool {
    matches!(error, sqlx::Error::Database(error) if Code::of(error.as_ref()).primary() == CANTOPEN)
}

/// Whether the file is there by now, or can be made.
fn may_appear(options: &SqliteConnectOptions, create: bool) -> bool {
    let path = options.get_filename();
    let has_folder = path.parent().is_none_or(|folder| folder.as_os_str().is_empty() || folder.is_dir());
    path.is_file() || (create && has_folder && !path.is_dir())
}

/// Opens the database, if there is one: none is made by looking.
pub(super) async fn connect_if_exists(options: &SqliteConnectOptions) -> Result<Option<SqliteConnection>> {
    match connect(options, false).await {
        Ok(connection) => Ok(Some(connection)),
        // a folder that can't be searched is nothing to be silent about
        Err(_) if options.get_filename().try_exists().is_ok_and(|exists| !exists) => Ok(None),
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
        return Error::ConnectionLost { reason: error.to_string() };
    };
    let code = Code::of(database.as_ref());
    Error::Server { doing, message: database.message().to_owned(), sqlstate: Some(code.describe()), help: code.help().to_owned() }
}
