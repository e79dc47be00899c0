use migrate_runtime::migration;

mod m0001;

/// A view reads the table that goes.
#[migration(revision = "2", parent = "1")]
mod change {
    up! {
        drop table documents;
    }
}

fn main() {}
