//! How far changes in batches have come, in the journal; and what is asked of the table that they walk along.

use crate::engine::{Comparison, Cursor, CursorPlace, Key, KeyColumn, Walkable};
use migrate_core::name::{Name, quote_identifier, quote_literal};
use migrate_core::ops::Backfill;
use serde::Deserialize;
use std::time::Duration;

fn condition(place: &CursorPlace) -> String {
    format!("(revision, direction, number) = ({}, '{}', {})", quote_literal(place.revision), place.direction, place.number)
}

/// The cursor as one text; no row, where none is there.
pub(super) fn read(place: &CursorPlace) -> String {
    format!(
        "select pg_catalog.json_build_object('key', key, 'order', coalesce(key_types, '{{}}'), \
         'identity', coalesce(table_oid::text, ''), 'after', last_key, 'upto', end_key, \
         'passed', rows_passed, 'changed', rows_changed, 'batches', batches, 'size', batch_size, 'runs', runs, 'worked_ms', worked_ms)::text \
         from _migrate.backfills where {}",
        condition(place)
    )
}

/// How many rows are done; no row, where no cursor is there.
pub(super) fn passed(place: &CursorPlace) -> String {
    format!("select rows_passed::text from _migrate.backfills where {}", condition(place))
}

/// Writes the first cursor.
pub(super) fn create(place: &CursorPlace, run: i64, cursor: &Cursor) -> String {
    format!(
        "insert into _migrate.backfills (revision, direction, number, run, table_oid, key, key_types, last_key, end_key, rows_passed, \
         rows_changed, batches, batch_size, runs, worked_ms) values ({}, '{}', {}, {run}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {})",
        quote_literal(place.revision),
        place.direction,
        place.number,
        quote_literal(&cursor.identity),
        array(Some(&cursor.key)),
        array(Some(&cursor.order)),
        array(cursor.after.as_deref()),
        array(cursor.upto.as_deref()),
        cursor.passed,
        cursor.changed,
        cursor.batches,
        cursor.size,
        cursor.runs,
        cursor.worked_ms
    )
}

/// Moves it.
pub(super) fn update(place: &CursorPlace, run: i64, cursor: &Cursor) -> String {
    format!(
        "update _migrate.backfills set run = {run}, last_key = {}, rows_passed = {}, rows_changed = {}, batches = {}, batch_size = {}, \
         runs = {}, worked_ms = {}, updated_at = pg_catalog.clock_timestamp() where {}",
        array(cursor.after.as_deref()),
        cursor.passed,
        cursor.changed,
        cursor.batches,
        cursor.size,
        cursor.runs,
        cursor.worked_ms,
        condition(place)
    )
}

/// Takes it away, once all is done.
pub(super) fn delete(place: &CursorPlace) -> String {
    format!("delete from _migrate.backfills where {}", condition(place))
}

/// Has it go on in the table as it is.
pub(super) fn accept(place: &CursorPlace, table: &Walkable, key: &Key) -> String {
    let (identity, types) = (&table.identity, array(Some(&key.order())));
    format!("update _migrate.backfills set table_oid = {identity}, key_types = {types} where {}", condition(place))
}

fn array(values: Option<&[String]>) -> String {
    values.map_or_else(
        || "null".to_owned(),
        |values| format!("array[{}]::text[]", values.iter().map(|value| quote_literal(value)).collect::<Vec<_>>().join(", ")),
    )
}

/// The keys of a table by which all of its rows can be walked along with an index, the primary key first, then the shortest,
/// without those for which something is computed: it may change on the way. A type is the same whatever its length, by which
/// nothing is sorted. And how many rows it has, as far as the server knows: those of its partitions together.
const TABLE: &str = "select pg_catalog.json_build_object(
    'oid', c.oid::text,
    'estimate', (with recursive family (oid) as (select c.oid union all
            select i.inhrelid from pg_catalog.pg_inherits as i join family as f on f.oid = i.inhparent where not $only)
        select case when pg_catalog.bool_and(m.reltuples >= 0 and (m.reltuples > 0 or m.relpages > 0)) then pg_catalog.sum(m.reltuples)::bigint end
        from family as f join pg_catalog.pg_class as m on m.oid = f.oid where m.relkind <> 'p'),
    'keys', (select coalesce(pg_catalog.json_agg(k.columns order by k.indisprimary desc, k.indnkeyatts, k.relname), '[]') from (
        select i.indisprimary, i.indnkeyatts, x.relname, (
                select pg_catalog.json_agg(pg_catalog.json_build_object(
                    'name', a.attname, 'type', pg_catalog.format_type(a.atttypid, a.atttypmod),
                    'order', pg_catalog.format_type(a.atttypid, null) || coalesce((
                        select ' collate ' || pg_catalog.quote_ident(l.collname) from pg_catalog.pg_collation as l
                        where l.oid = a.attcollation and l.collname <> 'default'), ''),
                    'operators', (select pg_catalog.json_object_agg(m.amopstrategy, pg_catalog.json_build_array(n.nspname, p.oprname))
                        from pg_catalog.pg_amop as m join pg_catalog.pg_operator as p on p.oid = m.amopopr
                        join pg_catalog.pg_namespace as n on n.oid = p.oprnamespace
                        where m.amopfamily = o.opcfamily and m.amoplefttype = o.opcintype and m.amoprighttype = o.opcintype
                        and m.amopstrategy in (2, 3, 5))
                ) order by s.i)
                from pg_catalog.generate_series(0, i.indnkeyatts - 1) as s (i)
                join pg_catalog.pg_attribute as a on a.attrelid = c.oid and a.attnum = i.indkey[s.i]
                join pg_catalog.pg_opclass as o on o.oid = i.indclass[s.i]
                where a.attnotnull and not exists (select from pg_catalog.pg_constraint as d
                    where d.conrelid = c.oid and d.contype = 'n' and not d.convalidated and d.conkey[1] = a.attnum)
                and a.attgenerated = '' and o.opcdefault and i.indcollation[s.i] = a.attcollation
                and i.indoption[s.i] = i.indoption[0] and i.indoption[0] in (0, 3)
            ) as columns
        from pg_catalog.pg_index as i join pg_catalog.pg_class as x on x.oid = i.indexrelid join pg_catalog.pg_am as m on m.oid = x.relam
        where i.indrelid = c.oid and i.indisunique and i.indisvalid and i.indimmediate and i.indpred is null and m.amname = 'btree'
    ) as k where pg_catalog.json_array_length(k.columns) = k.indnkeyatts)
)::text from pg_catalog.pg_class as c where c.oid = pg_catalog.to_regclass($table)";

/// The query about the table of a change in batches.
pub(super) fn table(backfill: &Backfill) -> String {
    TABLE.replace("$only", &backfill.only.to_string()).replace("$table", &quote_literal(&backfill.table.quoted()))
}

/// What is known of the table.
#[derive(Debug, Deserialize)]
pub(super) struct Table {
    oid: String,
    pub(super) estimate: Option<u64>,
    keys: Vec<Vec<Column>>,
}

#[derive(Debug, Deserialize)]
struct Column {
    name: String,
    #[serde(rename = "type")]
    data_type: String,
    /// The type and the collation.
    order: String,
    /// By their numbers in a btree: their schema and their name.
    operators: Operators,
}

#[derive(Debug, Deserialize)]
struct Operators {
    #[serde(rename = "5")]
    greater: (String, String),
    #[serde(rename = "2")]
    at_most: (String, String),
    #[serde(rename = "3")]
    equal: (String, String),
}

impl Table {
    /// With its keys that have none of these columns.
    pub(super) fn walkable(&self, without: &[Name]) -> Walkable {
        let keys = self.keys.iter().filter(|columns| !columns.iter().any(|column| without.iter().any(|name| *name == *column.name)));
        let keys = keys.map(|columns| Key { columns: columns.iter().map(Column::read).collect() });
        Walkable { identity: self.oid.clone(), keys: keys.collect() }
    }
}

impl Column {
    fn read(&self) -> KeyColumn {
        // those of the system are found first by their names alone
        let operator = |(schema, name): &(String, String)| match schema.as_str() {
            "pg_catalog" => name.clone(),
            schema => format!("operator({}.{name})", quote_identifier(schema)),
        };
        let Operators { greater, at_most, equal } = &self.operators;
        let operators = [operator(greater), operator(at_most), operator(equal)];
        let comparison = Comparison::Typed { data_type: self.data_type.clone(), operators };
        KeyColumn { name: self.name.as_str().into(), order: self.order.clone(), comparison }
    }
}

/// The rows of the next batch.
#[derive(Debug, Deserialize)]
pub(super) struct Next {
    pub(super) rows: u64,
    pub(super) last: Option<Vec<String>>,
}

/// Asks questions of the table that a change in batches walks along.
#[derive(Debug)]
pub(super) struct Questions<'a> {
    pub(super) backfill: &'a Backfill,
    pub(super) key: &'a Key,
}

impl Questions<'_> {
    fn from(&self) -> String {
        let only = if self.backfill.only { "only " } else { "" };
        format!("{only}{} as t", self.backfill.table.quoted())
    }

    /// The last key, as a list of texts.
    pub(super) fn end(&self) -> String {
        format!(
            "select pg_catalog.json_build_array({})::text from {} order by {} limit 1",
            self.key.list("t", "::text"),
            self.from(),
            self.key.list("t", " desc")
        )
    }

    /// How many rows are left for the next batch, and the key of the last one of them.
    pub(super) fn next(&self, after: Option<&[String]>, upto: &[String], size: u32) -> String {
        format!(
            "with t as materialized (select {} from {} where {} order by {} limit {size}) \
             select pg_catalog.json_build_object('rows', (select pg_catalog.count(*) from t), \
             'last', (select pg_catalog.json_build_array({}) from t order by {} limit 1))::text",
            self.key.list("t", ""),
            self.from(),
            self.key.condition("t", after, upto),
            self.key.list("t", ""),
            self.key.list("t", "::text"),
            self.key.list("t", " desc")
        )
    }
}

/// The standby that lags behind most, with how far in milliseconds. One whose lag nobody may see is none.
pub(super) const LAG: &str = "select pg_catalog.json_build_object(
    'standby', coalesce(nullif(application_name, ''), 'a standby') || coalesce(' at ' || pg_catalog.host(client_addr), ''),
    'lag_ms', (pg_catalog.date_part('epoch', replay_lag) * 1000::double precision)::bigint)::text
    from pg_catalog.pg_stat_replication where replay_lag is not null order by replay_lag desc limit 1";

/// A standby that lags behind.
#[derive(Debug, Deserialize)]
pub(super) struct Lag {
    standby: String,
    lag_ms: u64,
}

impl Lag {
    /// What to wait for, if that is too far.
    pub(super) fn beyond(&self, limit: Duration) -> Option<String> {
        let lag = Duration::from_millis(self.lag_ms);
        (lag > limit).then(|| format!("{} lags {:.1} s behind, more than --max-lag allows", self.standby, lag.as_secs_f64()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_standby_may_lag_up_to_the_limit() {
        let lag = |lag_ms| Lag { standby: "replica at 10.0.0.2".to_owned(), lag_ms };
        assert_eq!(lag(10_000).beyond(Duration::from_secs(10)), None);
        assert_eq!(
            lag(10_500).beyond(Duration::from_secs(10)).as_deref(),
            Some("replica at 10.0.0.2 lags 10.5 s behind, more than --max-lag allows")
        );
        assert_eq!(lag(u64::MAX).beyond(Duration::MAX), None);
    }
}
