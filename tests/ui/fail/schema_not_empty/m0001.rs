use migrate_runtime::migration;

#[migration(revision = "1")]
mod baseline {
    up! {
        create schema archive;
        create table archive.documents (id bigint primary key);
    }
}
