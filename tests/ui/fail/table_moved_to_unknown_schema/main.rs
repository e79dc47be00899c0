use migrate_runtime::migration;

mod m0001;

/// A table moves into a schema that is there.
#[migration(revision = "2", parent = "1")]
mod change {
    up! {
        alter table documents set schema archiv;
    }
}

fn main() {}
