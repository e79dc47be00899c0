//! Ending what an interrupted or broken-off command has left on the server.

use super::connect;
use crate::{Error, Result};
use migrate_core::name::quote_literal;
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use std::time::{Duration, Instant};

/// How long a session may take to end: PostgreSQL looks at every row of a scan whether it should.
const PATIENCE: Duration = Duration::from_secs(5);

/// Ends the sessions of that name and waits until they are gone.
pub(crate) async fn end_sessions(connect: &PgConnectOptions, name: &str) -> Result<()> {
    let mut connection = connect::connect(&connect.clone().application_name("migrate (ending an interrupted command)")).await?;
    end_others(&mut connection, name).await?;
    // a farewell that isn't heard changes nothing
    let _ = connection.close().await;
    Ok(())
}

/// Ends the sessions of that name, but for the one that asks, and waits until they are gone.
pub(super) async fn end_others(connection: &mut PgConnection, name: &str) -> Result<()> {
    let doing = "ending what the interrupted command left on the server";
    let sql = format!(
        "select pg_catalog.pg_terminate_backend(pid) from pg_catalog.pg_stat_activity \
         where application_name = {} and datname = pg_catalog.current_database() and pid <> pg_catalog.pg_backend_pid()",
        quote_literal(name)
    );
    let began = Instant::now();
    loop {
        let left = sqlx::raw_sql(AssertSqlSafe(sql.clone())).fetch_all(&mut *connection).await;
        let left = left.map_err(|error| Error::server(doing, error))?.len();
        if left == 0 {
            return Ok(());
        }
        if began.elapsed() > PATIENCE {
            return Err(Error::Format { doing, reason: format!("{left} sessions called `{name}` have not ended yet") });
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
