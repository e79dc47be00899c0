//! A change of rows in batches, in SQLite's SQL.

use super::support::in_default_schema;
use super::{Unsupported, translate};
use crate::ops::{Backfill, BatchWork, with_condition};
use crate::schema::Schema;

/// What is done to the rows of a batch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Batched {
    /// The statement up to its `where`; `None`: a Rust function does it.
    pub head: Option<String>,
    /// `where`, without that word.
    pub condition: Option<String>,
}

impl Batched {
    /// As it was written.
    #[must_use]
    pub fn of(backfill: &Backfill) -> Self {
        match &backfill.work {
            BatchWork::Function { .. } => Self::default(),
            BatchWork::Statement { condition, .. } => Self {
                head: Some(backfill.statement.sql.sql().to_owned()),
                condition: condition.as_ref().map(|condition| condition.sql().to_owned()),
            },
        }
    }

    /// The statement for all rows at once; nothing, where a Rust function does it.
    #[must_use]
    pub fn whole(&self) -> Vec<String> {
        let whole = |head: &String| match &self.condition {
            Some(condition) => format!("{head}\nwhere {condition}"),
            None => head.clone(),
        };
        self.head.iter().map(whole).collect()
    }

    /// The statement for the rows of which `key` is true; `None`: a Rust function does it.
    #[must_use]
    pub fn for_rows(&self, key: &str) -> Option<String> {
        Some(with_condition(self.head.as_deref()?, self.condition.as_deref(), key))
    }
}

/// What does it on SQLite.
///
/// # Errors
/// What SQLite can't say, and what to do instead.
pub fn batched(backfill: &Backfill, schema: &Schema) -> Result<Batched, Unsupported> {
    in_default_schema(&backfill.table)?;
    let written = Batched::of(backfill);
    Ok(Batched {
        head: written.head.map(|head| translate::statement(&head, schema)).transpose()?,
        condition: written.condition.map(|condition| translate::statement(&condition, schema)).transpose()?,
    })
}
