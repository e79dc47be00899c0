use migrate_runtime::migration;

/// A number with the suffix of a Rust type.
#[migration(revision = "1")]
mod baseline {
    up! {
        create table documents (id uuid primary key, version bigint not null default 1i64);
    }
}

fn main() {}
