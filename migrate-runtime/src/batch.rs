//! What a Rust step gets that works in batches: the rows that it is to work on now.

use crate::engine::Key;

/// The rows of a batch: those of a table whose key is behind one value and not behind another.
///
/// ```ignore
/// async fn fill_titles(tx: &mut Tx<'_>, batch: &Batch) -> migrate_runtime::Result<u64> {
///     tx.execute(&format!("update documents set title = file_name where title is null and {}", batch.condition())).await
/// }
/// ```
///
/// The function is called in a transaction of its own for each batch, and gives the number of rows that it has changed. That
/// the batch is done is committed with what it has done.
#[derive(Clone, Debug)]
pub struct Batch {
    pub(crate) table: String,
    pub(crate) called: String,
    pub(crate) key: Key,
    pub(crate) after: Option<Vec<String>>,
    pub(crate) upto: Vec<String>,
    pub(crate) rows: u64,
}

impl Batch {
    /// The table as SQL names it, with its schema and quoted where it must be.
    #[must_use]
    pub fn table(&self) -> &str {
        &self.table
    }

    /// A condition that is true for the rows of the batch, to be put into `where`. The columns of the key are qualified with
    /// the table's name: `documents.id > '…'::uuid and documents.id <= '…'::uuid`.
    #[must_use]
    pub fn condition(&self) -> String {
        self.key.condition(&self.called, self.after.as_deref(), &self.upto)
    }

    /// The same, where the statement gives the table another name: `update documents as d …`.
    #[must_use]
    pub fn condition_as(&self, alias: &str) -> String {
        self.key.condition(&migrate_core::name::quote_identifier(alias), self.after.as_deref(), &self.upto)
    }

    /// The columns of the key that the batches go by, in its order, without quotes.
    pub fn key(&self) -> impl Iterator<Item = &str> {
        self.key.columns.iter().map(|column| column.name.as_str())
    }

    /// The key of the last row of the batch before this one, as PostgreSQL prints it (SQLite: as a literal); `None` in the
    /// first batch.
    #[must_use]
    pub fn after(&self) -> Option<&[String]> {
        self.after.as_deref()
    }

    /// The key of the last row of this batch.
    #[must_use]
    pub fn upto(&self) -> &[String] {
        &self.upto
    }

    /// How many rows of the table the batch had when it was measured.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.rows
    }
}
