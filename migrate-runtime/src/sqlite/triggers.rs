//! Triggers that don't work any more: SQLite takes their text as it is, and complains only when one is to fire.

use super::keys::quoted;
use migrate_core::sqlite::{TriggerEvent, trigger_event};
use sqlx::{AssertSqlSafe, SqliteConnection};
use std::collections::BTreeMap;

/// The triggers that can't fire, each with what SQLite says of it.
pub(super) type Broken = BTreeMap<String, String>;

/// Looks for them. SQLite compiles what would make each of them fire, and runs nothing.
pub(super) async fn broken(connection: &mut SqliteConnection) -> sqlx::Result<Broken> {
    let triggers: Vec<(String, String, String, Option<String>)> = sqlx::query_as(
        "select t.name, t.tbl_name, t.sql, (select c.name from pragma_table_xinfo(t.tbl_name, 'main') as c where c.hidden = 0 limit 1)
         from main.sqlite_schema as t where t.type = 'trigger' order by t.name",
    )
    .fetch_all(&mut *connection)
    .await?;
    let mut broken = Broken::new();
    for (name, table, sql, first) in triggers {
        let table = quoted(&table);
        let statement = match trigger_event(&sql) {
            Some(TriggerEvent::Delete) => format!("delete from main.{table}"),
            Some(TriggerEvent::Insert) => format!("insert into main.{table} default values"),
            Some(TriggerEvent::Update(column)) => {
                let Some(column) = column.map(|column| column.to_string()).or(first) else { continue };
                let column = quoted(&column);
                format!("update main.{table} set {column} = {column}")
            }
            None => continue,
        };
        match sqlx::raw_sql(AssertSqlSafe(format!("explain {statement}"))).execute(&mut *connection).await {
            Ok(_) => {}
            Err(sqlx::Error::Database(error)) => {
                broken.insert(name, error.message().to_owned());
            }
            Err(error) => return Err(error),
        }
    }
    Ok(broken)
}

/// Those that worked before: a line for each thing that SQLite says, with the triggers that it is about.
pub(super) fn news(before: &Broken, now: &Broken) -> Vec<String> {
    let mut lines: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (name, message) in now.iter().filter(|(name, _)| !before.contains_key(*name)) {
        lines.entry(message).or_default().push(format!("`{name}`"));
    }
    let line = |(message, names): (&str, Vec<String>)| {
        let subject = if names.len() == 1 { "trigger" } else { "one of the triggers" };
        format!("{subject} {} would fail from now on: {message}", names.join(", "))
    };
    lines.into_iter().map(line).collect()
}
