use migrate_runtime::migration;

mod m0001;

/// A value for a type that nobody created.
#[migration(revision = "2", parent = "1")]
mod change {
    up! {
        alter type stauts add value "archived";
    }
}

fn main() {}
