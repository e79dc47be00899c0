use migrate_runtime::migration;

mod m0001;

/// A materialized view is dropped as one.
#[migration(revision = "2", parent = "1")]
mod change {
    up! {
        drop view titles;
    }
}

fn main() {}
