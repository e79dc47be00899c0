//! Rows that refer to rows which aren't there: what has to be looked for where foreign keys are off.
//!
//! Orphans that were there before a transaction are none of its business. They are told from new ones by their key, which is
//! followed through renames, and by the values that they refer to.

use super::keys::{Column, Key, keys, quoted};
use sqlx::{AssertSqlSafe, Row as _, SqliteConnection};
use std::collections::{BTreeMap, BTreeSet};

/// How many rows a message names, of each key.
const NAMED: i64 = 5;

/// Up to how many rows of a key it is known which values they refer to; of more, only their number.
const KNOWN: i64 = 10_000;

/// What was there when a transaction began.
#[derive(Debug)]
pub(super) struct Before {
    keys: Vec<(Key, Found)>,
}

/// The orphans of a key.
#[derive(Clone, Debug)]
enum Found {
    /// Nobody has looked: of a key that was there it isn't asked.
    Unasked,
    /// SQLite can't even look: a key of the table fits no unique columns.
    Mismatch,
    /// So many rows, and how many of each value, if they aren't too many.
    Rows(i64, Option<BTreeMap<String, i64>>),
}

impl Before {
    /// Looks at all keys, and where `asked` for the orphans of each.
    pub(super) async fn read(connection: &mut SqliteConnection, asked: bool) -> sqlx::Result<Self> {
        let all = keys(connection).await?;
        if !asked {
            return Ok(Self { keys: all.into_iter().map(|key| (key, Found::Unasked)).collect() });
        }
        let mut found = Vec::new();
        for child in children(&all) {
            let counts = counts(connection, child).await?;
            for key in all.iter().filter(|key| key.child == child) {
                found.push((key.clone(), look(connection, key, &counts).await?));
            }
        }
        Ok(Self { keys: found })
    }

    /// Follows the keys through a step that may have renamed tables and columns: `then` are those before it, `now` those after.
    pub(super) fn follow(&mut self, then: &[Key], now: &[Key]) {
        let new: Vec<&Key> = now.iter().filter(|key| !then.iter().any(|old| old.is(key))).collect();
        for (key, _) in &mut self.keys {
            if now.iter().any(|other| other.is(key)) {
                continue;
            }
            let old = then.iter().find(|other| other.is(key));
            if let Some(renamed) = old.and_then(|old| new.iter().find(|other| other.is_renamed(old))) {
                key.child.clone_from(&renamed.child);
                key.parent.clone_from(&renamed.parent);
                for (column, other) in key.columns.iter_mut().zip(&renamed.columns) {
                    column.name.clone_from(&other.name);
                }
            }
        }
    }

    fn of(&self, key: &Key) -> Option<&(Key, Found)> {
        self.keys.iter().find(|(other, _)| other.is(key))
    }

    /// What is wrong now that wasn't before: a line for each key, with rows. Nothing, if all is well.
    pub(super) async fn news(&self, connection: &mut SqliteConnection) -> sqlx::Result<Vec<String>> {
        let mut lines = Vec::new();
        let mut all = keys(connection).await?;
        all.retain(|key| !matches!(self.of(key), Some((_, Found::Unasked))));
        for child in children(&all) {
            let counts = counts(connection, child).await?;
            let own = all.iter().filter(|key| key.child == child);
            if let Counts::Mismatch(message) = &counts {
                let known = own.clone().any(|key| matches!(self.of(key), Some((_, Found::Mismatch))));
                lines.extend((!known).then(|| message.clone()));
                continue;
            }
            for key in own {
                let now = look(connection, key, &counts).await?;
                lines.extend(line(connection, key, &now, self.of(key)).await?);
            }
        }
        Ok(lines)
    }
}

fn children(keys: &[Key]) -> BTreeSet<&str> {
    keys.iter().map(|key| key.child.as_str()).collect()
}

/// The number of orphans of each key of a table, by the key's number.
enum Counts {
    Mismatch(String),
    Rows(BTreeMap<i64, i64>),
}

async fn counts(connection: &mut SqliteConnection, child: &str) -> sqlx::Result<Counts> {
    let rows: sqlx::Result<Vec<(i64, i64)>> =
        sqlx::query_as("select fkid, count(*) from pragma_foreign_key_check(?) group by fkid").bind(child).fetch_all(connection).await;
    match rows {
        Ok(rows) => Ok(Counts::Rows(rows.into_iter().collect())),
        Err(sqlx::Error::Database(error)) if error.message().contains("mismatch") => Ok(Counts::Mismatch(error.message().to_owned())),
        Err(error) => Err(error),
    }
}

async fn look(connection: &mut SqliteConnection, key: &Key, counts: &Counts) -> sqlx::Result<Found> {
    let Counts::Rows(counts) = counts else { return Ok(Found::Mismatch) };
    let count = counts.get(&key.id).copied().unwrap_or_default();
    if count == 0 {
        return Ok(Found::Rows(0, Some(BTreeMap::new())));
    }
    let Some(rowid) = key.rowid.filter(|_| count <= KNOWN) else { return Ok(Found::Rows(count, None)) };
    let rows: Vec<(String, i64)> = sqlx::query_as(AssertSqlSafe(format!(
        "select {}, count(*) from pragma_foreign_key_check(?1) as k join main.{} as c on c.{rowid} = k.\"rowid\" where k.fkid = ?2 group by 1",
        text(&key.columns),
        quoted(&key.child)
    )))
    .bind(&key.child)
    .bind(key.id)
    .fetch_all(connection)
    .await?;
    Ok(Found::Rows(count, Some(rows.into_iter().collect())))
}

/// The values of a key's columns as one text, whatever they are stored as: a rebuild may store a number as a text.
fn text(columns: &[Column]) -> String {
    let values: Vec<String> = columns.iter().map(|column| format!("quote(cast(c.{} as text))", quoted(&column.name))).collect();
    values.join(" || ', ' || ")
}

/// What to say of a key, if anything is new.
async fn line(connection: &mut SqliteConnection, key: &Key, now: &Found, before: Option<&(Key, Found)>) -> sqlx::Result<Option<String>> {
    let Found::Rows(count, values) = now else { return Ok(None) };
    let of = |count: i64| if count == 1 { "1 row of".to_owned() } else { format!("{count} rows of") };
    let subject = |count: i64| format!("{} `{}` without their row in `{}`", of(count), key.child, key.parent);
    let (was, mut old) = match before {
        Some((known, Found::Rows(was, old))) => (*was, old.clone().filter(|_| known.has_types_of(key))),
        Some((_, Found::Unasked | Found::Mismatch)) => return Ok(None),
        None => (0, Some(BTreeMap::new())),
    };
    let new: i64 = match (&old, values) {
        (Some(old), Some(values)) => values.iter().map(|(value, count)| (count - old.get(value).copied().unwrap_or_default()).max(0)).sum(),
        _ => (count - was).max(0),
    };
    if new == 0 {
        return Ok(None);
    }
    let rows = match (&mut old, key.rowid) {
        (Some(old), Some(rowid)) if values.is_some() || was == 0 => rows(connection, key, rowid, old).await?,
        _ => Vec::new(),
    };
    let columns = key.columns.iter().map(|column| column.name.as_str()).collect::<Vec<_>>().join(", ");
    let more = if usize::try_from(new).is_ok_and(|new| new > rows.len()) { ", …" } else { "" };
    Ok(Some(match rows.as_slice() {
        [] if was > 0 => format!("{}, by {columns}; there were {was} of them before", subject(*count)),
        [] => format!("{}, by {columns}", subject(*count)),
        rows => format!("{}: {}{more}", subject(new), rows.join(", ")),
    }))
}

/// `rowid 7 (author_id = 99)`, for the first of those that aren't as `old` knows them.
async fn rows(connection: &mut SqliteConnection, key: &Key, rowid: &str, old: &mut BTreeMap<String, i64>) -> sqlx::Result<Vec<String>> {
    let shown: Vec<String> = key.columns.iter().map(|column| format!("quote(c.{})", quoted(&column.name))).collect();
    let sql = format!(
        "select k.\"rowid\", {}, {} from pragma_foreign_key_check(?1) as k join main.{} as c on c.{rowid} = k.\"rowid\"
         where k.fkid = ?2 order by 1 limit ?3",
        text(&key.columns),
        shown.join(" || ', ' || "),
        quoted(&key.child)
    );
    let limit = old.values().sum::<i64>() + NAMED;
    let found = sqlx::query(AssertSqlSafe(sql)).bind(&key.child).bind(key.id).bind(limit).fetch_all(connection).await?;
    let (mut rows, mut named) = (Vec::new(), 0);
    for row in found {
        let (rowid, value, shown): (i64, String, String) = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
        match old.get_mut(&value).filter(|left| **left > 0) {
            Some(left) => *left -= 1,
            None if named < NAMED => {
                named += 1;
                let columns: Vec<&str> = key.columns.iter().map(|column| column.name.as_str()).collect();
                rows.push(format!("rowid {rowid} ({} = {shown})", columns.join(", ")));
            }
            None => break,
        }
    }
    Ok(rows)
}
