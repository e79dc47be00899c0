use migrate_runtime::migration;

#[migration(revision = "65e4b4ef883d")]
mod documents {
    up! {
        create table documents (id bigint primary key, title text, body text, size integer);
        create table drafts (id bigint primary key);
    }
}
