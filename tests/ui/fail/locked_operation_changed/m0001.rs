use migrate_runtime::migration;

#[migration(revision = "65e4b4ef883d")]
mod areas {
    up! {
        create schema archive;
        // It was `staging` when it was released.
        create schema stages;
        create schema reports;
    }
}
