//! What a Rust step gets: the migration's own transaction.

#[cfg(all(feature = "postgres", feature = "sqlite"))]
use crate::Error;
use crate::Result;

/// The transaction that a `run` step works in.
///
/// Everything that the step does here is undone with the migration if a later operation fails.
#[derive(Debug)]
pub struct Tx<'c> {
    inner: Inner<'c>,
}

#[derive(Debug)]
enum Inner<'c> {
    #[cfg(feature = "postgres")]
    Postgres(&'c mut sqlx::PgConnection),
    #[cfg(feature = "sqlite")]
    Sqlite(&'c mut sqlx::SqliteConnection),
}

impl<'c> Tx<'c> {
    #[cfg(feature = "postgres")]
    pub(crate) fn of_postgres(connection: &'c mut sqlx::PgConnection) -> Self {
        Self { inner: Inner::Postgres(connection) }
    }

    #[cfg(feature = "sqlite")]
    pub(crate) fn of_sqlite(connection: &'c mut sqlx::SqliteConnection) -> Self {
        Self { inner: Inner::Sqlite(connection) }
    }

    /// Runs SQL without parameters and gives the number of rows that it touched.
    pub async fn execute(&mut self, sql: &str) -> Result<u64> {
        let query = sqlx::raw_sql(sqlx::AssertSqlSafe(sql.to_owned()));
        match &mut self.inner {
            #[cfg(feature = "postgres")]
            Inner::Postgres(connection) => Ok(query.execute(&mut **connection).await?.rows_affected()),
            #[cfg(feature = "sqlite")]
            Inner::Sqlite(connection) => Ok(query.execute(&mut **connection).await?.rows_affected()),
        }
    }

    /// The PostgreSQL connection, for queries with parameters and rows.
    ///
    /// # Errors
    /// On another database.
    #[cfg(feature = "postgres")]
    pub fn postgres(&mut self) -> Result<&mut sqlx::PgConnection> {
        match &mut self.inner {
            Inner::Postgres(connection) => Ok(connection),
            #[cfg(feature = "sqlite")]
            Inner::Sqlite(_) => Err(Error::step("this step asks for PostgreSQL, and the database is SQLite")),
        }
    }

    /// The SQLite connection, for queries with parameters and rows.
    ///
    /// # Errors
    /// On another database.
    #[cfg(feature = "sqlite")]
    pub fn sqlite(&mut self) -> Result<&mut sqlx::SqliteConnection> {
        match &mut self.inner {
            Inner::Sqlite(connection) => Ok(connection),
            #[cfg(feature = "postgres")]
            Inner::Postgres(_) => Err(Error::step("this step asks for SQLite, and the database is PostgreSQL")),
        }
    }
}
