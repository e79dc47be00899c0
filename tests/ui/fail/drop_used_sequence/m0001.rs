use migrate_runtime::migration;

#[migration(revision = "1")]
mod baseline {
    up! {
        create sequence numbers;
        create table invoices (id bigint primary key default nextval("numbers"));
    }
}
