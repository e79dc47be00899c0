use migrate_runtime::migration;

#[migration(revision = "65e4b4ef883d")]
mod areas {
    up! {
        create schema archive;
    }
}
