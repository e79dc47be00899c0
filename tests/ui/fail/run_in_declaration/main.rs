use migrate_runtime::migration;

/// A declaration creates nothing and runs nothing.
#[migration(revision = "1")]
mod baseline {
    up! {
        create table documents (id uuid primary key);
    }

    optional! {
        create table reviews (id bigint primary key);
        run backfill_reviews;
    }
}

fn main() {}
