use migrate_runtime::migration;

#[migration(revision = "1")]
mod baseline {
    up! {
        create table invoices (id bigint generated always as identity primary key);
    }
}
