use migrate_runtime::migration;

mod m0001;

/// A schema with a table in it.
#[migration(revision = "2", parent = "1")]
mod change {
    up! {
        drop schema archive;
    }
}

fn main() {}
