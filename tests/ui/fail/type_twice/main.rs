use migrate_runtime::migration;

mod m0001;

/// A type has its name for itself.
#[migration(revision = "2", parent = "1")]
mod change {
    up! {
        create type status as enum ("open");
    }
}

fn main() {}
