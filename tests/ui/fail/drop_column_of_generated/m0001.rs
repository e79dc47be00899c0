use migrate_runtime::migration;

#[migration(revision = "1")]
mod baseline {
    up! {
        create table invoices (id bigint primary key, price numeric, total numeric generated always as (price * 2) stored);
    }
}
