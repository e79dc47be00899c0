use migrate_runtime::migration;

#[migration(revison = "1")]
mod users {
    up! {
        create table users (id bigint primary key);
    }
}
