use migrate_runtime::migration;

mod m0001;

/// The baseline has such a table.
#[migration(revision = "2", parent = "1")]
mod documents {
    up! {
        create table documents (id uuid primary key);
    }
}

fn main() {}
