//! The command line, for the chain in the file that `MIGRATE_TEST_CHAIN` names. `MIGRATE_TEST_DEFAULT_URL` is its default
//! database, if it is set.

#![expect(clippy::expect_used, reason = "without a chain there is nothing to test")]

use std::process::ExitCode;

fn main() -> ExitCode {
    let path = std::env::var_os("MIGRATE_TEST_CHAIN").expect("MIGRATE_TEST_CHAIN names a file");
    let text = std::fs::read_to_string(path).expect("a readable file");
    let default_url = std::env::var("MIGRATE_TEST_DEFAULT_URL").ok();
    migrate_runtime::cli::run(migrate_tests::chain::chain(&text), default_url.as_deref())
}
