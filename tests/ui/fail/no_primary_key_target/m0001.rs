use migrate_runtime::migration;

#[migration(revision = "1")]
mod baseline {
    up! {
        create table events (at timestamptz);
        create table notes (id bigint primary key, event bigint);
    }
}
