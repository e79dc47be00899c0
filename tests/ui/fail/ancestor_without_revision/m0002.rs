use migrate_runtime::migration;

#[migration(revision = "2", parent = "1")]
mod documents {
    up! {
        create table documents (id uuid primary key);
    }
}
