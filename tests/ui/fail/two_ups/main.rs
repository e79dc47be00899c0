use migrate_runtime::migration;

/// Has two ways forth.
#[migration(revision = "1")]
mod documents {
    up! {
        create table documents (id uuid primary key);
    }

    up! {
        create table users (id bigint primary key);
    }
}

fn main() {}
