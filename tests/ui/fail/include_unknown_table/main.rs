use migrate_runtime::migration;

mod m0001;

/// A name in a file of SQL that no migration creates.
#[migration(revision = "2", parent = "1")]
mod documents {
    up! {
        include "indexes.sql";
    }
}

fn main() {}
