//! The tests of what all other tests stand on.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a failed test")]

mod database;
mod dump;
mod proxy;
mod versions;
mod watchdog;
