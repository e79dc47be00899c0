//! SQLite as a dialect: what is planned is run on SQLite, and what is there afterwards is what the model says.

#![expect(clippy::unwrap_used, reason = "what can't be unwrapped is a failed test")]

mod cases;
#[path = "../../../migrate-runtime/src/sqlite/catalog.rs"]
mod catalog;
mod conversion;
mod database;
mod live;
mod rebuild;
mod round_trip;
