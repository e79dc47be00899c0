//! SQLite 3.

mod backend;
mod backfill;
#[doc(hidden)]
pub mod catalog;
mod codes;
mod connect;
mod cursor;
mod execute;
mod format;
mod holder;
mod journal;
mod keys;
mod orphans;
mod transaction;
mod triggers;
mod wait;
mod waited;
mod who;

pub(crate) use backend::Sqlite;
use connect::failed;
