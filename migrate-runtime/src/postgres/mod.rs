//! PostgreSQL 13 to 18.

pub(crate) mod backend;
mod backfill;
mod batch;
mod blockers;
#[doc(hidden)]
pub mod catalog;
mod codes;
mod connect;
mod cursor;
mod execute;
mod frame;
mod identical;
mod journal;
#[doc(hidden)]
pub mod normalize;
mod remains;
mod segments;
mod sessions;

pub(crate) use backend::Postgres;
pub(crate) use codes::lost;
pub(crate) use sessions::end_sessions;
