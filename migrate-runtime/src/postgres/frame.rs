//! Queries of our own that leave the session, and the transaction that may be open in it, as they were.

use futures_util::TryStreamExt as _;
use sqlx::{AssertSqlSafe, Either, PgConnection, Row as _};

/// What stands before and after the queries: a transaction, or a savepoint in the one that is open.
#[derive(Clone, Copy, Debug)]
pub(super) struct Frame {
    open: &'static str,
    close: &'static str,
    /// Whether it is opened in a message of its own: what the parser refuses, it refuses before it runs the first
    /// statement of the message, and an open transaction would be aborted without a savepoint to go back to.
    opens_first: bool,
}

/// Everything that has an influence on how PostgreSQL prints an expression, and nothing that costs time.
const SETTINGS: &str = "set local timezone to 'UTC';
set local datestyle to 'ISO, MDY';
set local intervalstyle to 'postgres';
set local extra_float_digits to 1;
set local bytea_output to 'hex';
set local quote_all_identifiers to off;
set local standard_conforming_strings to on;
set local jit to off;
";

impl Frame {
    /// A transaction that can't write.
    pub(super) const READ_ONLY: Self = Self::transaction("begin isolation level read committed read only");
    /// A transaction that can write, and is rolled back.
    pub(super) const ROLLED_BACK: Self = Self::transaction("begin isolation level read committed read write");
    /// A savepoint in the open transaction, for queries of our own. As long as nothing is written in it, it takes no place
    /// in the server's cache of subtransactions.
    pub(super) const SAVEPOINT: Self = Self::savepoint(false);
    /// A savepoint in the open transaction, for queries with text of others in them.
    pub(super) const GUARDED_SAVEPOINT: Self = Self::savepoint(true);

    const fn transaction(open: &'static str) -> Self {
        Self { open, close: "rollback", opens_first: false }
    }

    const fn savepoint(opens_first: bool) -> Self {
        let close = "rollback to savepoint _migrate_question; release savepoint _migrate_question";
        Self { open: "savepoint _migrate_question", close, opens_first }
    }

    /// The first column of every row that the queries give, all in one round trip.
    ///
    /// # Errors
    /// Of the first query that fails. The frame is closed even so.
    pub(super) async fn texts(
        self,
        connection: &mut PgConnection,
        search_path: &str,
        queries: &[String],
    ) -> Result<Vec<String>, sqlx::Error> {
        let (texts, error) = self.texts_until_error(connection, search_path, queries).await?;
        error.map_or(Ok(texts), Err)
    }

    /// The texts of the queries before the first one that fails, and its error.
    ///
    /// # Errors
    /// Where the frame couldn't be opened or closed.
    pub(super) async fn texts_until_error(
        self,
        connection: &mut PgConnection,
        search_path: &str,
        queries: &[String],
    ) -> Result<(Vec<String>, Option<sqlx::Error>), sqlx::Error> {
        let mut text = String::new();
        if self.opens_first {
            sqlx::raw_sql(AssertSqlSafe(self.open)).execute(&mut *connection).await?;
        } else {
            text.push_str(self.open);
            text.push_str(";\n");
        }
        text.push_str(SETTINGS);
        text.push_str("set local search_path to ");
        text.push_str(search_path);
        for query in queries {
            // a line comment at the end must not swallow the semicolon
            text.push_str("\n;\n");
            text.push_str(query);
        }
        text.push_str("\n;\n");
        text.push_str(self.close);
        let (texts, error) = read_texts(connection, text).await;
        match error {
            Some(error @ sqlx::Error::Database(_)) => match sqlx::raw_sql(AssertSqlSafe(self.close)).execute(connection).await {
                Ok(_) => Ok((texts, Some(error))),
                // the first error says what is wrong
                Err(_) => Err(error),
            },
            error => Ok((texts, error)),
        }
    }
}

async fn read_texts(connection: &mut PgConnection, text: String) -> (Vec<String>, Option<sqlx::Error>) {
    let mut texts = Vec::new();
    let mut answers = sqlx::raw_sql(AssertSqlSafe(text)).fetch_many(connection);
    loop {
        match answers.try_next().await {
            Ok(Some(Either::Right(row))) => match row.try_get_unchecked::<Option<String>, _>(0) {
                Ok(text) => texts.push(text.unwrap_or_default()),
                Err(error) => return (texts, Some(error)),
            },
            Ok(Some(Either::Left(_))) => {}
            Ok(None) => return (texts, None),
            Err(error) => return (texts, Some(error)),
        }
    }
}
