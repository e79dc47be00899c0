//! What a server shows of an operation: locks, rewrites and scans.

use migrate_core::effects::LockMode;
use migrate_core::name::QualifiedName;
use sqlx::{AssertSqlSafe, Executor, PgConnection, Row};
use std::collections::BTreeMap;

/// What an operation did to the relations that were there before it.
#[derive(Debug, Default)]
pub struct Seen {
    /// The strongest lock on each.
    pub locks: BTreeMap<QualifiedName, LockMode>,
    /// The tables that have other files now.
    pub rewrites: Vec<QualifiedName>,
    /// The tables that were read from their start; `None` where the server doesn't tell.
    pub scans: Option<Vec<QualifiedName>>,
    /// The tables that were read through an index, as a whole or for some rows.
    pub index_scans: Vec<QualifiedName>,
}

/// The relations of a database, by object id.
pub type Relations = BTreeMap<i64, Relation>;

/// A relation as it stands.
pub struct Relation {
    pub name: QualifiedName,
    /// Whether a query can read it.
    pub readable: bool,
    /// Whether other tables are part of it or inherit from it.
    pub has_children: bool,
    /// The object id of the table, of an index.
    index_of: Option<i64>,
    file: i64,
    /// What it keeps out of line: the object id and the file, 0 if there is none.
    toast: (i64, i64),
    scans: i64,
}

/// A backend's own counts are in `…_xact_…` until they are added to those of all: the sum is what it has counted so far.
const RELATIONS: &str = r"
    select c.oid::bigint as oid, n.nspname::text as schema, c.relname::text as name,
        c.relkind in ('r', 'p', 'm') and c.relispopulated as readable,
        exists (select from pg_catalog.pg_inherits as i where i.inhparent = c.oid) as has_children,
        (select i.indrelid::bigint from pg_catalog.pg_index as i where i.indexrelid = c.oid) as index_of,
        coalesce(pg_catalog.pg_relation_filenode(c.oid)::bigint, 0) as file,
        c.reltoastrelid::bigint as toast,
        coalesce(pg_catalog.pg_relation_filenode(c.reltoastrelid)::bigint, 0) as toast_file,
        pg_catalog.pg_stat_get_numscans(c.oid) + pg_catalog.pg_stat_get_xact_numscans(c.oid) as scans
    from pg_catalog.pg_class as c join pg_catalog.pg_namespace as n on n.oid = c.relnamespace
    where n.nspname !~ '^pg_' and n.nspname <> 'information_schema'";

/// The relations that people made.
pub async fn relations(connection: &mut PgConnection) -> Result<Relations, sqlx::Error> {
    let rows = connection.fetch_all(sqlx::raw_sql(RELATIONS)).await?;
    let relation = |row: &sqlx::postgres::PgRow| {
        let name = QualifiedName::new(row.try_get::<String, _>("schema")?, row.try_get::<String, _>("name")?);
        let toast = (row.try_get("toast")?, row.try_get("toast_file")?);
        let (readable, has_children, index_of) = (row.try_get("readable")?, row.try_get("has_children")?, row.try_get("index_of")?);
        let (file, scans) = (row.try_get("file")?, row.try_get("scans")?);
        Ok((row.try_get("oid")?, Relation { name, readable, has_children, index_of, file, toast, scans }))
    };
    rows.iter().map(relation).collect()
}

/// The locks on relations that the backend of this process id holds or waits for, by object id.
pub async fn locks(connection: &mut PgConnection, backend: i32) -> Result<BTreeMap<i64, LockMode>, sqlx::Error> {
    let sql = format!(
        "select relation::bigint as relation, mode from pg_catalog.pg_locks where locktype = 'relation' \
         and pid = {backend} and database = (select oid from pg_catalog.pg_database where datname = current_database())"
    );
    let mut locks = BTreeMap::new();
    for row in connection.fetch_all(sqlx::raw_sql(AssertSqlSafe(sql))).await? {
        let name: String = row.try_get("mode")?;
        let Some(mode) = MODES.into_iter().find(|mode| mode.pg_locks_name() == name) else { continue };
        let strongest = locks.entry(row.try_get("relation")?).or_insert(mode);
        *strongest = mode.max(*strongest);
    }
    Ok(locks)
}

const MODES: [LockMode; 8] = [
    LockMode::AccessShare,
    LockMode::RowShare,
    LockMode::RowExclusive,
    LockMode::ShareUpdateExclusive,
    LockMode::Share,
    LockMode::ShareRowExclusive,
    LockMode::Exclusive,
    LockMode::AccessExclusive,
];

impl Seen {
    /// What became of the relations that were there `before`, under the names that they had.
    pub fn between(before: &Relations, after: &Relations, locks: &BTreeMap<i64, LockMode>) -> Self {
        let locked = locks.iter().filter_map(|(oid, mode)| Some((before.get(oid)?.name.clone(), *mode)));
        let still_there = || before.iter().filter_map(|(oid, relation)| Some((relation, after.get(oid)?)));
        let rewritten = |(before, after): &(&Relation, &Relation)| {
            before.file != after.file || (before.toast.0 == after.toast.0 && before.toast.1 != after.toast.1)
        };
        let read = |(before, after): &(&Relation, &Relation)| before.scans < after.scans;
        let name = |(before, _): (&Relation, &Relation)| before.name.clone();
        let indexed = |(index, _): (&Relation, &Relation)| Some(before.get(&index.index_of?)?.name.clone());
        Self {
            locks: locked.collect(),
            rewrites: still_there().filter(rewritten).map(name).collect(),
            scans: Some(still_there().filter(read).map(name).collect()),
            index_scans: still_there().filter(read).filter_map(indexed).collect(),
        }
    }
}
