//! Rows that refer to rows which aren't there: what has to be looked for where foreign keys were off.

use migrate_core::name::quote_identifier;
use sqlx::{AssertSqlSafe, Row as _, SqliteConnection};
use std::collections::BTreeMap;

/// How many rows a message names, of each pair of tables.
const NAMED: i64 = 5;

/// How many rows of a table refer to rows of another that aren't there, by the names of both; an error where SQLite can't
/// even look: the key fits no unique columns.
pub(super) type Orphans = BTreeMap<(String, String), Result<i64, String>>;

/// Counts them in all tables.
pub(super) async fn count(connection: &mut SqliteConnection) -> sqlx::Result<Orphans> {
    let tables: Vec<String> = sqlx::query_scalar(
        "select distinct m.name from sqlite_schema as m, pragma_foreign_key_list(m.name) as k where m.type = 'table' order by m.name",
    )
    .fetch_all(&mut *connection)
    .await?;
    let mut orphans = Orphans::new();
    for table in tables {
        let rows = sqlx::query("select parent, count(*) from pragma_foreign_key_check(?) group by parent").bind(&table);
        match rows.fetch_all(&mut *connection).await {
            Ok(rows) => {
                for row in rows {
                    orphans.insert((table.clone(), row.try_get(0)?), Ok(row.try_get(1)?));
                }
            }
            Err(sqlx::Error::Database(error)) if error.message().contains("mismatch") => {
                orphans.insert((table, String::new()), Err(error.message().to_owned()));
            }
            Err(error) => return Err(error),
        }
    }
    Ok(orphans)
}

/// What is wrong now that wasn't before: a line for each pair of tables, with rows. Nothing, if all is well.
pub(super) async fn news(connection: &mut SqliteConnection, before: &Orphans) -> sqlx::Result<Vec<String>> {
    let mut lines = Vec::new();
    for ((child, parent), found) in count(connection).await? {
        match (found, before.get(&(child.clone(), parent.clone()))) {
            (Err(_), Some(Err(_))) => {}
            (Err(message), _) => lines.push(message),
            (Ok(now), Some(Ok(then))) if now <= *then => {}
            (Ok(now), _) => {
                let rows = rows(connection, &child, &parent).await?;
                let more = if now > NAMED { ", …" } else { "" };
                let subject = if now == 1 { "1 row of `" } else { &format!("{now} rows of `") };
                lines.push(format!("{subject}{child}` without their row in `{parent}`: {}{more}", rows.join(", ")));
            }
        }
    }
    Ok(lines)
}

/// `rowid 7 (author_id = 99)`.
async fn rows(connection: &mut SqliteConnection, child: &str, parent: &str) -> sqlx::Result<Vec<String>> {
    let found: Vec<(Option<i64>, i64)> = sqlx::query_as("select \"rowid\", fkid from pragma_foreign_key_check(?) where parent = ? limit ?")
        .bind(child)
        .bind(parent)
        .bind(NAMED)
        .fetch_all(&mut *connection)
        .await?;
    let mut rows = Vec::new();
    for (rowid, key) in found {
        let columns: Vec<String> = sqlx::query_scalar("select \"from\" from pragma_foreign_key_list(?) where id = ? order by seq")
            .bind(child)
            .bind(key)
            .fetch_all(&mut *connection)
            .await?;
        let Some(rowid) = rowid else {
            rows.push(format!("by {}", columns.join(", ")));
            continue;
        };
        let values: Vec<String> = columns.iter().map(|column| format!("quote({})", quote_identifier(column))).collect();
        let sql = format!("select {} from {} where rowid = ?", values.join(" || ', ' || "), quote_identifier(child));
        let values: Option<String> = sqlx::query_scalar(AssertSqlSafe(sql)).bind(rowid).fetch_optional(&mut *connection).await?;
        rows.push(format!("rowid {rowid} ({} = {})", columns.join(", "), values.unwrap_or_default()));
    }
    Ok(rows)
}
