use migrate_runtime::migration;

#[migration(revision = "1")]
mod baseline {
    up! {
        create table events (at date, body text) partition by range (at);
    }
}
