use migrate_runtime::migration;

/// Creates the first tables.
#[migration(revision = "1")]
mod baseline {
    up! {
        include "schema.sql";
    }
}
