use migrate_runtime::migration;

#[migration(revision = "1")]
mod baseline {
    up! {
        create type status as enum ("draft", "final");
        create table documents (id bigint primary key, title text, body text);
    }
}
