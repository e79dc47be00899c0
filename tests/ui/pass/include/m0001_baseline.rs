use migrate_runtime::migration;

/// What production looked like.
#[migration(revision = "1")]
mod baseline {
    up! {
        include "schema.sql";
    }
}
