//! A change of rows in batches, in SQLite's SQL.

use super::support::in_default_schema;
use super::{Unsupported, translate};
use crate::ops::{Backfill, Batched};
use crate::schema::Schema;

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
