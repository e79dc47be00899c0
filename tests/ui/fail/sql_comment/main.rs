use migrate_runtime::migration;

/// A comment as in SQL.
#[migration(revision = "1")]
mod baseline {
    up! {
        create table documents (id uuid primary key); -- the first table
        create table users (id bigint primary key);
    }
}

fn main() {}
