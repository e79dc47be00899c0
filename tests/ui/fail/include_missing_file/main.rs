use migrate_runtime::migration;

/// The file is somewhere else.
#[migration(revision = "1")]
mod baseline {
    up! {
        include "schema/production.sql";
    }
}

fn main() {}
