use migrate_runtime::migration;

mod m0001;

/// A type is misspelt.
#[migration(revision = "2", parent = "1")]
mod documents {
    up! {
        alter table documents add column status document_statsu;
    }
}

fn main() {}
