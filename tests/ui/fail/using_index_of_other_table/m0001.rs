use migrate_runtime::migration;

#[migration(revision = "1")]
mod baseline {
    up! {
        create table documents (id bigint primary key, title text, body text);
        create table users (id bigint primary key, email text);
        create unique index users_email_idx on users (email);
    }
}
