//! A file without a migration.

#[allow(dead_code)]
fn documents() {}
