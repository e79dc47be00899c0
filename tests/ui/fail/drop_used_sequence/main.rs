use migrate_runtime::migration;

mod m0001;

/// A default takes its numbers.
#[migration(revision = "2", parent = "1")]
mod change {
    up! {
        drop sequence numbers;
    }
}

fn main() {}
