use migrate_runtime::migration;

mod m0001;

/// Sequences share the names of tables.
#[migration(revision = "2", parent = "1")]
mod change {
    up! {
        alter table documents rename to papers;
    }
}

fn main() {}
