use migrate_runtime::migration;

#[migration(revision = "1")]
mod baseline {
    up! {
        create table documents (id bigint primary key, title text, body text);
        create table notes (id bigint primary key);
        drop table notes;
    }
    irreversible!("a baseline");
}
