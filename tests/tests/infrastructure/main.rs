//! The tests of what all other tests stand on.

mod database;
mod dump;
mod proxy;
mod watchdog;
