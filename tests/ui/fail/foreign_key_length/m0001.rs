use migrate_runtime::migration;

#[migration(revision = "1")]
mod baseline {
    up! {
        create table pairs (a integer, b integer, primary key (a, b));
        create table notes (id bigint primary key, a integer);
    }
}
