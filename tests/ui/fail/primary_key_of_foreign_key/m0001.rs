use migrate_runtime::migration;

#[migration(revision = "1")]
mod baseline {
    up! {
        create table users (id bigint primary key);
        create table logins (user_id bigint primary key references users (id));
    }
}
