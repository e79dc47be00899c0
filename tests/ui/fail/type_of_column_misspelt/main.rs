use migrate_runtime::migration;

mod m0001;

/// The type of a new column.
#[migration(revision = "2", parent = "1")]
mod change {
    up! {
        alter table documents add column status statis;
    }
}

fn main() {}
