//! Connecting, and saying why it didn't work.

use crate::{Error, Result};
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, PgConnection};

/// Host, port, database and user of a URL. Never the password.
pub(crate) fn target(options: &PgConnectOptions) -> String {
    let host = options.get_socket().map_or_else(|| options.get_host().to_owned(), |path| path.display().to_string());
    let database = options.get_database().unwrap_or_else(|| options.get_username());
    format!("{host} port {} database {database} user {}", options.get_port(), options.get_username())
}

pub(crate) async fn connect(options: &PgConnectOptions) -> Result<PgConnection> {
    options.connect().await.map_err(|error| refused(options, &error))
}

/// Nobody has answered in time.
pub(super) fn unanswered(options: &PgConnectOptions) -> Error {
    refused(options, &sqlx::Error::Io(std::io::ErrorKind::TimedOut.into()))
}

fn refused(options: &PgConnectOptions, error: &sqlx::Error) -> Error {
    let (reason, help) = match error {
        sqlx::Error::Database(error) => {
            let help = match error.code().as_deref() {
                Some("28P01") => "check the password in the URL (or PGPASSWORD)",
                Some("28000") => "check the user in the URL and the server's pg_hba.conf",
                Some("3D000") => "create the database first (`createdb`), or correct its name in the URL",
                Some("53300") => "the server has no free connection: raise max_connections, or end idle sessions",
                Some("57P03") => "the server is starting or stopping: try again in a moment",
                Some("42501") => "grant CONNECT on the database to this role",
                _ => "correct the URL, or fix what the server says",
            };
            (error.message().to_owned(), help)
        }
        sqlx::Error::Io(error) => {
            let help = match error.kind() {
                std::io::ErrorKind::ConnectionRefused => "start the server, or correct host and port in the URL",
                std::io::ErrorKind::NotFound => "there is no socket at that path: start the server, or correct the host in the URL",
                _ => "correct the host in the URL, or look at the network between here and there",
            };
            (error.to_string(), help)
        }
        sqlx::Error::Tls(error) => (error.to_string(), "set `sslmode` in the URL to what the server offers"),
        error => (error.to_string(), "correct the URL"),
    };
    Error::Connect { target: target(options), reason, help: help.to_owned() }
}
