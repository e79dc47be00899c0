use migrate_runtime::migration;

mod m0001;

/// The file of the baseline creates such a table.
#[migration(revision = "2", parent = "1")]
mod documents {
    up! {
        create table documents (id uuid primary key);
    }
}

fn main() {}
