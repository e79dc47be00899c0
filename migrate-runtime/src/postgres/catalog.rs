//! Reads a live database into the model.

mod access;
mod rows;

use super::frame::Frame;
use migrate_core::schema::Schema;
pub(super) use rows::{exclusion, understood};
use sqlx::PgConnection;
use std::time::Duration;

/// The query, whose one row has one text.
const CATALOG: &str = include_str!("catalog.sql");

/// How often the catalog is read before it is given up: what is dropped while its definition is being printed is an
/// internal error of PostgreSQL's.
const ATTEMPTS: u32 = 10;

/// What is waited for after the first attempt, and as often again after each further one.
const PAUSE: Duration = Duration::from_millis(10);

/// Why the catalog couldn't be read.
#[derive(Debug, thiserror::Error)]
pub enum CatalogError {
    /// The server said no. The session is as it was before.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
    /// What it said can't be read. The session is as it was before.
    #[error(transparent)]
    Format(#[from] serde_json::Error),
}

impl CatalogError {
    /// The server's code, if the server said no.
    #[must_use]
    pub fn sqlstate(&self) -> Option<String> {
        match self {
            Self::Database(sqlx::Error::Database(error)) => error.code().map(std::borrow::Cow::into_owned),
            _ => None,
        }
    }
}

/// The live schema, read in a read-only transaction of its own, in one round trip.
///
/// # Errors
/// Where the server says no.
pub async fn snapshot(connection: &mut PgConnection) -> Result<Schema, CatalogError> {
    read(connection, Frame::READ_ONLY).await
}

/// The live schema as the open transaction sees it, read in one round trip. The transaction goes on as if nothing had
/// happened, even after an error.
///
/// # Errors
/// Where the server says no.
pub async fn snapshot_in_transaction(connection: &mut PgConnection) -> Result<Schema, CatalogError> {
    read(connection, Frame::SAVEPOINT).await
}

/// The live schema, and what another query gives: in one round trip, in the open transaction or in one of its own.
pub(super) async fn snapshot_with(
    connection: &mut PgConnection,
    in_transaction: bool,
    query: String,
) -> Result<(Schema, String), CatalogError> {
    let frame = if in_transaction { Frame::SAVEPOINT } else { Frame::READ_ONLY };
    let mut texts = texts(connection, frame, &[CATALOG.to_owned(), query]).await?.into_iter();
    let (catalog, other) = texts.next().zip(texts.next()).ok_or(sqlx::Error::RowNotFound)?;
    let rows: rows::Rows = serde_json::from_str(&catalog)?;
    Ok((rows.into_schema(), other))
}

async fn read(connection: &mut PgConnection, frame: Frame) -> Result<Schema, CatalogError> {
    let texts = texts(connection, frame, &[CATALOG.to_owned()]).await?;
    let text = texts.into_iter().next().ok_or(sqlx::Error::RowNotFound)?;
    let rows: rows::Rows = serde_json::from_str(&text)?;
    Ok(rows.into_schema())
}

async fn texts(connection: &mut PgConnection, frame: Frame, queries: &[String]) -> Result<Vec<String>, CatalogError> {
    let mut attempts = 1;
    loop {
        match frame.texts(connection, "pg_catalog, pg_temp", queries).await {
            Err(error) if attempts < ATTEMPTS && CatalogError::is_internal(&error) => {
                tokio::time::sleep(PAUSE * attempts).await;
                attempts += 1;
            }
            texts => return Ok(texts?),
        }
    }
}

impl CatalogError {
    fn is_internal(error: &sqlx::Error) -> bool {
        matches!(error, sqlx::Error::Database(error) if error.code().as_deref() == Some("XX000"))
    }
}
