use migrate_runtime::migration;

mod m0001;

/// The value to rename is unknown.
#[migration(revision = "2", parent = "1")]
mod change {
    up! {
        alter type status rename value "finl" to "done";
    }
}

fn main() {}
