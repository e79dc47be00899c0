use migrate_runtime::migration;

mod m0001;

/// A table is altered as a table.
#[migration(revision = "2", parent = "1")]
mod change {
    up! {
        alter sequence documents restart with 100;
    }
}

fn main() {}
