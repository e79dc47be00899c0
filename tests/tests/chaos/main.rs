//! Kill anything at any time, run it again, and the database is where it should be.
//!
//! Every run takes a case, makes a chain of its base and its migration, puts rows into the base, and runs into a fault: the
//! network breaks before, in or after a message, the migrator or the server is killed, sessions are ended while they wait for a
//! lock. Then the same command has to succeed without any repair, the one after that has to have nothing to do, and the
//! database has to be as it is without a fault: the schema, the rows, and a journal that accounts for each operation once.
//!
//! The fault comes while the case goes up, while it goes back, in batches, too, which has to lead to the base, and from there up
//! again, or while `up` does what an earlier one had to skip. Another one may come while the first is healed. A test that has
//! hit too few of them fails.
//!
//! What is done is decided by a seed. `CHAOS_SEED` sets it, `CHAOS_RUNS` is the number of rounds, each with a seed of its own
//! and at least one case for each kind of operation; `CHAOS_CASE` takes the cases whose path begins so. A failure prints how it is repeated.
#![expect(clippy::unwrap_used, reason = "a test that can't go on has failed")]

mod crashes;
mod fault;
mod migrator;
mod prepared;
mod remains;
mod rounds;
mod state;
mod subject;
mod together;
mod way;
