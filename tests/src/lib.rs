//! What the integration tests share: a PostgreSQL server that always goes away again, a database for every test, a
//! network that can be slow or break, and the reader of `.case` files.

#![expect(clippy::expect_used, reason = "an expectation that does not hold is a failed test")]

pub mod binaries;
pub mod case;
pub mod chain;
mod cluster;
pub mod comparison;
mod database;
pub mod history;
mod log;
pub mod pgbouncer;
pub mod proxy;
mod server;
pub mod standby;
mod versions;

pub use cluster::ClusterError;
pub use database::Database;
pub use log::LogError;
pub use server::{LOG_LINE_PREFIX, LOG_VARIABLE, Server, StartError, URL_VARIABLE, server};
pub use versions::{VERSIONS_VARIABLE, VersionError, server_of_version, servers};
