//! Sends the file that it is given as one simple query: what nobody can be faster than.

use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args().nth(1).ok_or("which file?")?;
    let mut connection = PgConnection::connect(&std::env::var("DATABASE_URL")?).await?;
    sqlx::raw_sql(AssertSqlSafe(std::fs::read_to_string(path)?)).execute(&mut connection).await?;
    Ok(connection.close().await?)
}
