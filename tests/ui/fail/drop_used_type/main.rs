use migrate_runtime::migration;

mod m0001;

/// A column is of the type.
#[migration(revision = "2", parent = "1")]
mod change {
    up! {
        drop type status;
    }
}

fn main() {}
