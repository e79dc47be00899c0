use migrate_runtime::migration;

#[migration(revision = "1")]
mod baseline {
    up! {
        create table users (id bigint primary key);
        create table documents (id bigint primary key, title text, body text, owner_id bigint);
    }
}
