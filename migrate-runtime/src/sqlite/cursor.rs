//! How far changes in batches have come, in the journal; and what is asked of the table that they walk along.
//!
//! Values of keys are kept as literals. Tables are walked along by a declared key, and never by the number of the row alone:
//! `vacuum` may number them anew.

use crate::Result;
use crate::engine::{Comparison, Cursor, CursorPlace, Key, KeyColumn, Walkable};
use migrate_core::name::{quote_identifier, quote_literal};
use migrate_core::ops::Backfill;
use sqlx::{AssertSqlSafe, Row as _, SqliteConnection};

/// The table of the cursors.
pub(super) const TABLE: &str = "create table if not exists _migrate_backfills (
    revision text not null,
    direction text not null check (direction in ('up', 'down')),
    number integer not null,
    run integer not null references _migrate_runs (id),
    cursor text not null,
    rows_passed integer not null,
    rows_changed integer not null,
    updated_at text not null default (strftime('%Y-%m-%d %H:%M:%f', 'now')),
    primary key (revision, direction, number)
)";

pub(super) async fn read(place: &CursorPlace, connection: &mut SqliteConnection) -> Result<Option<Cursor>> {
    let doing = "reading how far a backfill has come";
    let sql = "select cursor from _migrate_backfills where revision = ? and direction = ? and number = ?";
    let query = sqlx::query_scalar(sql).bind(place.revision).bind(place.direction).bind(number(place));
    let text: Option<String> = query.fetch_optional(connection).await.map_err(|error| super::failed(doing, error))?;
    let read = |text: String| serde_json::from_str(&text).map_err(|error| crate::Error::Format { doing, reason: error.to_string() });
    text.map(read).transpose()
}

fn number(place: &CursorPlace) -> i64 {
    i64::try_from(place.number).unwrap_or(i64::MAX)
}

pub(super) async fn write(place: &CursorPlace, connection: &mut SqliteConnection, run: i64, cursor: &Cursor) -> sqlx::Result<()> {
    let text = serde_json::to_string(cursor).map_err(|error| sqlx::Error::Encode(error.into()))?;
    sqlx::query(
        "insert into _migrate_backfills (revision, direction, number, run, cursor, rows_passed, rows_changed) values (?, ?, ?, ?, ?, ?, ?)
         on conflict (revision, direction, number) do update set run = excluded.run, cursor = excluded.cursor,
             rows_passed = excluded.rows_passed, rows_changed = excluded.rows_changed, updated_at = excluded.updated_at",
    )
    .bind(place.revision)
    .bind(place.direction)
    .bind(number(place))
    .bind(run)
    .bind(text)
    .bind(i64::try_from(cursor.passed).unwrap_or(i64::MAX))
    .bind(i64::try_from(cursor.changed).unwrap_or(i64::MAX))
    .execute(connection)
    .await
    .map(drop)
}

/// Takes it away, once all is done.
pub(super) async fn delete(place: &CursorPlace, connection: &mut SqliteConnection) -> sqlx::Result<()> {
    sqlx::query("delete from _migrate_backfills where revision = ? and direction = ? and number = ?")
        .bind(place.revision)
        .bind(place.direction)
        .bind(number(place))
        .execute(connection)
        .await
        .map(drop)
}

fn condition(place: &CursorPlace) -> String {
    format!("revision = {} and direction = '{}' and number = {}", quote_literal(place.revision), place.direction, place.number)
}

/// Has it go on in the table as it is.
pub(super) fn accept(place: &CursorPlace, key: &Key) -> String {
    let order: Vec<String> = key.order().iter().map(|order| quote_literal(order)).collect();
    let order = order.join(", ");
    format!("update _migrate_backfills set cursor = json_set(cursor, '$.order', json_array({order})) where {}", condition(place))
}

/// Has it begin anew.
pub(super) fn forget(place: &CursorPlace) -> String {
    format!("delete from _migrate_backfills where {}", condition(place))
}

/// The keys of a table by which all of its rows can be walked along, the primary key first, then the shortest, without those
/// that the change itself sets, and those for which something is computed: `table_info` doesn't know such columns.
pub(super) async fn walkable(connection: &mut SqliteConnection, backfill: &Backfill) -> sqlx::Result<Walkable> {
    let table = backfill.table.name.as_str();
    let mut keys: Vec<Key> = Vec::new();
    let column = |name: String, order: String| KeyColumn { name: name.into(), order, comparison: Comparison::Literal };
    // a single integer that numbers the rows has no index of its own
    let rowid = "select i.name from pragma_table_info(?1) as i where i.pk = 1 and upper(i.type) = 'INTEGER' \
                 and (select count(*) from pragma_table_info(?1) where pk > 0) = 1 \
                 and not exists (select 1 from pragma_index_list(?1) where origin = 'pk')";
    let rowid: Option<String> = sqlx::query_scalar(rowid).bind(table).fetch_optional(&mut *connection).await?;
    keys.extend(rowid.map(|name| Key { columns: vec![column(name, "INTEGER".to_owned())] }));
    let unique = "select l.name, l.origin = 'pk', \
                  (select count(*) from pragma_index_xinfo(l.name) where key = 1) as width, \
                  (select count(*) from pragma_index_xinfo(l.name) as x join pragma_table_info(?1) as i on i.name = x.name \
                   where x.key = 1 and (i.\"notnull\" = 1 or (i.pk > 0 and (select max(wr) from pragma_table_list where name = ?1 collate nocase) = 1))) as sure \
                  from pragma_index_list(?1) as l where l.\"unique\" = 1 and l.partial = 0 and width = sure \
                  order by l.origin <> 'pk', width, l.name";
    for row in sqlx::query(unique).bind(table).fetch_all(&mut *connection).await? {
        let index: String = row.try_get(0)?;
        let columns = "select x.name, trim(upper(i.type) || ' collate ' || upper(x.coll)) from pragma_index_xinfo(?2) as x \
                       join pragma_table_info(?1) as i on i.name = x.name where x.key = 1 order by x.seqno";
        let columns: Vec<(String, String)> = sqlx::query_as(columns).bind(table).bind(index).fetch_all(&mut *connection).await?;
        keys.push(Key { columns: columns.into_iter().map(|(name, order)| column(name, order)).collect() });
    }
    let is_set = |column: &KeyColumn| backfill.sets.iter().any(|set| set.as_str().eq_ignore_ascii_case(column.name.as_str()));
    keys.retain(|key| !key.columns.iter().any(is_set));
    Ok(Walkable { identity: String::new(), keys })
}

fn from(backfill: &Backfill) -> String {
    format!("{} as t", quote_identifier(backfill.table.name.as_str()))
}

/// The columns as literals. `quote` ends a text at its first NUL; and what is cast to a text would have numbers compared as
/// texts, but for the plus.
fn quoted(key: &Key) -> String {
    let literal = |column: &KeyColumn| {
        let column = format!("t.{}", column.name.quoted());
        format!(
            "case when typeof({column}) = 'text' and instr({column}, char(0)) > 0 \
             then '+cast(x''' || hex({column}) || ''' as text)' else quote({column}) end"
        )
    };
    key.columns.iter().map(literal).collect::<Vec<_>>().join(", ")
}

async fn values(connection: &mut SqliteConnection, sql: String, key: &Key) -> sqlx::Result<Option<Vec<String>>> {
    let row = sqlx::query(AssertSqlSafe(sql)).fetch_optional(connection).await?;
    row.map(|row| (0..key.columns.len()).map(|i| row.try_get(i)).collect()).transpose()
}

/// The last key.
pub(super) async fn end(connection: &mut SqliteConnection, backfill: &Backfill, key: &Key) -> sqlx::Result<Option<Vec<String>>> {
    let sql = format!("select {} from {} order by {} limit 1", quoted(key), from(backfill), key.list("t", " desc"));
    values(connection, sql, key).await
}

/// How many rows are left for the next batch, and the key of the last one of them.
pub(super) async fn next(
    connection: &mut SqliteConnection,
    backfill: &Backfill,
    key: &Key,
    after: Option<&[String]>,
    upto: &[String],
    size: u32,
) -> sqlx::Result<(u64, Option<Vec<String>>)> {
    let condition = key.condition("t", after, upto);
    let count = format!("select count(*) from (select 1 from {} where {condition} limit {size})", from(backfill));
    let rows: i64 = sqlx::query_scalar(AssertSqlSafe(count)).fetch_one(&mut *connection).await?;
    let skip = (rows - 1).max(0);
    let last =
        format!("select {} from {} where {condition} order by {} limit 1 offset {skip}", quoted(key), from(backfill), key.list("t", ""));
    Ok((u64::try_from(rows).unwrap_or_default(), values(connection, last, key).await?))
}

/// How many rows the table has, where `analyze` has counted them.
pub(super) async fn estimate(connection: &mut SqliteConnection, backfill: &Backfill) -> Option<u64> {
    let sql = "select max(cast(stat as integer)) from sqlite_stat1 where tbl = ?";
    let query = sqlx::query_scalar::<_, Option<i64>>(sql).bind(backfill.table.name.as_str());
    // without `analyze` there is no such table
    let counted = query.fetch_one(connection).await.ok().flatten();
    counted.and_then(|rows| u64::try_from(rows).ok())
}
