//! Reads a live database into the model.

use migrate_core::schema::Schema;
use sqlx::PgConnection;

/// Why the catalog couldn't be read.
#[derive(Debug, thiserror::Error)]
pub enum CatalogError {
    /// The server said no.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
    /// What it said can't be read.
    #[error(transparent)]
    Format(#[from] serde_json::Error),
}

/// The live schema, in a read-only transaction of its own.
pub async fn snapshot(_connection: &mut PgConnection) -> Result<Schema, CatalogError> {
    Ok(Schema::default())
}

/// The live schema as the open transaction sees it.
pub async fn snapshot_in_transaction(_connection: &mut PgConnection) -> Result<Schema, CatalogError> {
    Ok(Schema::default())
}
