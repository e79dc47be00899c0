use migrate_runtime::migration;

mod m0001;

/// A number that Rust lexes otherwise.
#[migration(revision = "2", parent = "1")]
mod change {
    up! {
        alter table documents add column version integer default 0x1g;
    }
}

fn main() {}
