use migrate_runtime::migration;

#[migration(revision = "1")]
mod baseline {
    up! {
        create table users (id bigint primary key, email text, unique (email) deferrable);
        create table logins (id bigint primary key, email text);
    }
}
