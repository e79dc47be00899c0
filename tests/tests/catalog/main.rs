//! The catalog's reader: what a live database is read as, and that it is what the model has of the same SQL.

mod answers;
mod reading;
mod round_trip;
