//! SQLite.

pub mod catalog;
