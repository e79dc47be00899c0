use migrate_runtime::migration;

#[migration(revision = "65e4b4ef883d")]
mod baseline {
    up! {
        include "baseline.sql";
    }
}
