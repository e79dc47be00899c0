use migrate_runtime::migration;

#[migration(revision = "1")]
mod baseline {
    up! {
        #[allow(table_without_primary_key, reason = "it is beside the point")]
        create table events (at date, body text) partition by range (at);
    }
}
