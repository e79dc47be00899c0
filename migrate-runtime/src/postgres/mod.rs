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
mod indexes;
mod journal;
mod message;
#[doc(hidden)]
pub mod normalize;
mod phases;
mod remains;
mod segments;
mod sessions;
mod sizes;
mod together;

pub(crate) use backend::Postgres;
pub(crate) use codes::lost;
pub(crate) use sessions::end_sessions;
