use migrate_runtime::migration;

#[migration(revision = "1")]
mod baseline {
    up! {
        create table bookings (id bigint primary key, during tstzrange);
    }
}
