use migrate_runtime::migration;

mod m0001;

/// A constraint is misspelt.
#[migration(revision = "2", parent = "1")]
mod documents {
    up! {
        alter table documents drop constraint documents_owner_fkey;
    }
}

fn main() {}
