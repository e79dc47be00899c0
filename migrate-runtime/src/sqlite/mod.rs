//! SQLite 3.

mod backend;
mod backfill;
#[doc(hidden)]
pub mod catalog;
mod codes;
mod connect;
mod cursor;
mod execute;
mod holder;
mod journal;
mod keys;
mod orphans;
mod transaction;
mod triggers;
mod wait;

pub(crate) use backend::Sqlite;
use connect::failed;
