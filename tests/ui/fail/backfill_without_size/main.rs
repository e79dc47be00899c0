use migrate_runtime::migration;

/// One without a size, one without rows, and one that returns what nobody reads.
#[migration(revision = "1")]
mod baseline {
    up! {
        create table documents (id uuid primary key, title text);
        backfill update documents set title = "x";
        backfill update documents set title = "x" in batches of 0;
        backfill insert into documents (title) values ("x") in batches of 10;
    }

    irreversible!("nobody knows the titles of before");
}

fn main() {}
