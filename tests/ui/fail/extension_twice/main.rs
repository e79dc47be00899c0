use migrate_runtime::migration;

mod m0001;

/// An extension is there once.
#[migration(revision = "2", parent = "1")]
mod change {
    up! {
        create extension pgcrypto;
    }
}

fn main() {}
