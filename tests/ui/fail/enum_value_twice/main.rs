use migrate_runtime::migration;

mod m0001;

/// An enum has a value once.
#[migration(revision = "2", parent = "1")]
mod change {
    up! {
        alter type status add value "draft";
    }
}

fn main() {}
