use migrate_runtime::migration;

#[migration(revision = "65e4b4ef883d")]
mod documents {
    up! {
        create table documents (id bigint primary key, body text);
        create table users (id bigint primary key);
    }
}
