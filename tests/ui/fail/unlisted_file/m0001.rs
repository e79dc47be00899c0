use migrate_runtime::migration;

#[migration(revision = "65e4b4ef883d")]
mod users {
    up! {
        create table users (id bigint primary key);
    }
}
