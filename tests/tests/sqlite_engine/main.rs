//! The engine on SQLite: whole chains of migrations, on files, by several processes, and with everything going wrong.
#![expect(clippy::unwrap_used, reason = "a test that can't go on has failed")]

mod backfill;
mod chain;
mod concurrency;
mod crash;
mod crash_back;
mod database;
mod errors;
mod failures;
mod journal;
mod locks;
mod orphans;
mod race;
mod rebuild;
mod skips;
mod steps;
mod story;
mod triggers;
mod truncate;
mod twins;
mod waiting;
