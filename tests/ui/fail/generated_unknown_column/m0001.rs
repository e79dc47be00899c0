use migrate_runtime::migration;

#[migration(revision = "1")]
mod baseline {
    up! {
        create table invoices (id bigint primary key, price numeric, pieces integer);
    }
}
