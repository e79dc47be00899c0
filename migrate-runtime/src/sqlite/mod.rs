//! SQLite 3.

mod backend;
#[doc(hidden)]
pub mod catalog;
mod codes;
mod connect;
mod execute;
mod holder;
mod journal;
mod orphans;
mod transaction;

pub(crate) use backend::Sqlite;
use connect::failed;
