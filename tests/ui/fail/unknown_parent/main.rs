use migrate_runtime::migration;

mod m0001;

/// The parent is misspelt.
#[migration(revision = "65e4b4ef883d", parent = "b354d12d1e7e")]
mod documents {
    up! {
        alter table documents add column status text;
    }
}

fn main() {}
