use migrate_runtime::migration;

mod m0001;

/// The new name of a table is taken.
#[migration(revision = "2", parent = "1")]
mod change {
    up! {
        alter table documents rename to papers;
    }
}

fn main() {}
