use migrate_runtime::migration;

#[migration(revision = "65e4b4ef883d")]
mod users {
    up! {
        create schema archive;
        create table users (number bigint primary key);
    }
}
