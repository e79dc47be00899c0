use migrate_runtime::migration;

/// Nobody will know why.
#[migration(revision = "1")]
mod baseline {
    up! {
        create table documents (id uuid primary key);
    }

    irreversible!();
}

fn main() {}
