use migrate_runtime::migration;

#[migration(revision = "1")]
mod users {
    up! {
        create table users (id bigint primary key;
    }
}
