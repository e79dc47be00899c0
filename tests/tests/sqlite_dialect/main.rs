//! SQLite as a dialect: what is planned is run on SQLite, and what is there afterwards is what the model says.

mod cases;
#[path = "../../../migrate-runtime/src/sqlite/catalog.rs"]
mod catalog;
mod database;
mod live;
mod rebuild;
mod round_trip;
