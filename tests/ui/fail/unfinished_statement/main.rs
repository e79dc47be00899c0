use migrate_runtime::migration;

mod m0001;

/// A statement that ends too early.
#[migration(revision = "2", parent = "1")]
mod change {
    up! {
        alter table documents add column;
    }
}

fn main() {}
