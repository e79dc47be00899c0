//! The same migrations, run by `migrate` and by other tools, each as its users write them.

#![expect(clippy::unwrap_used, clippy::missing_panics_doc, reason = "a comparison that can't go on has nothing to say")]

pub mod application;
pub mod document;
pub mod files;
pub mod migrations;
pub mod tools;

use std::process::ExitCode;

/// Runs the chain of `MIGRATE_TEST_CHAIN` if this process was started to: `migrate` is built into the comparison.
#[must_use]
pub fn run_as_migrate() -> Option<ExitCode> {
    let path = std::env::var_os("MIGRATE_TEST_CHAIN")?;
    let text = std::fs::read_to_string(path).unwrap();
    Some(migrate_runtime::cli::run(migrate_tests::chain::chain(&text), None))
}
