use migrate_runtime::migration;

#[migration(revision = "1")]
mod documents {
    up! {
        create schema billing;
        create table documents (id bigint primary key, title text, file_name text, @"Mixed Case" text, order_number integer);
        create table billing.invoices (id bigint primary key, document_id bigint references documents (id));
        create table @"type" (id bigint primary key);
    }
}
