use migrate_runtime::migration;

#[migration(revision = "b354d12d1e7d")]
mod users {
    up! {
        create table users (id bigint primary key);
    }
}
