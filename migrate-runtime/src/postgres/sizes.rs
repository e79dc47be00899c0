//! How large the tables are.

use crate::engine::{Large, Size, Sizes};
use migrate_core::name::QualifiedName;
use std::collections::BTreeSet;

/// What was seen so far.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// The tables that were there when the run began; what it creates itself never is large.
    first: Option<BTreeSet<u32>>,
    pub(super) sizes: Sizes,
}

#[derive(serde::Deserialize)]
struct Read {
    version: String,
    there: Vec<u32>,
    tables: Vec<Table>,
}

/// An array of these.
#[derive(serde::Deserialize)]
struct Table {
    oid: u32,
    schema: String,
    name: String,
    size: Option<i64>,
    others: i64,
    owned: bool,
    plain: bool,
}

/// Lists the tables that have at least so many bytes, or may have.
pub(super) fn query(limit: u64) -> String {
    let unknown = limit != u64::MAX;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    include_str!("sizes.sql").replace("{limit}", &limit.to_string()).replace("{unknown}", &unknown.to_string())
}

impl Seen {
    /// Takes the answer of [`query`].
    pub(super) fn take(&mut self, text: &str, limit: u64) -> Result<(), serde_json::Error> {
        let Read { version, there, tables } = serde_json::from_str(text)?;
        let first = self.first.get_or_insert_with(|| there.into_iter().collect());
        let bytes = |size: i64| u64::try_from(size).unwrap_or_default();
        let known = tables.into_iter().filter(|table| first.contains(&table.oid));
        let tables = known.map(|table| {
            let size = Size { bytes: table.size.map(bytes), others: bytes(table.others) };
            (QualifiedName::new(table.schema, table.name), Large { size, owned: table.owned, plain: table.plain })
        });
        self.sizes = Sizes { tables: tables.collect(), limit, version };
        Ok(())
    }
}
