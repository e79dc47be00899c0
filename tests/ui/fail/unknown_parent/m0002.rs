use migrate_runtime::migration;

#[migration(revision = "65e4b4ef883d", parent = "b354d12d1e7e")]
mod documents {
    up! {
        create table documents (id uuid primary key);
    }
}
