use migrate_runtime::migration;

/// A declaration changes no rows.
#[migration(revision = "1")]
mod baseline {
    external! {
        create table documents (id uuid primary key, title text);
        backfill update documents set title = "x" in batches of 1000;
    }

    up! { select 1; }
}

fn main() {}
