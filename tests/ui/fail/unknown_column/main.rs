use migrate_runtime::migration;

mod m0001;

/// A column is misspelt.
#[migration(revision = "2", parent = "1")]
mod documents {
    up! {
        alter table documents alter column titel drop not null;
    }
}

fn main() {}
