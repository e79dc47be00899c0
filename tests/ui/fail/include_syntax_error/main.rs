use migrate_runtime::migration;

/// A mistake in a file of SQL.
#[migration(revision = "1")]
mod baseline {
    up! {
        include "schema.sql";
    }
}

fn main() {}
