//! The catalog's reader: what a live database is read as, and that it is what the model has of the same SQL.
#![expect(clippy::unwrap_used, reason = "a test that can't go on has failed")]

mod answers;
mod reading;
mod round_trip;
