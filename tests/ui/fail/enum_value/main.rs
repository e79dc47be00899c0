use migrate_runtime::migration;

mod m0001;

/// A value that the type does not have.
#[migration(revision = "2", parent = "1")]
mod documents {
    up! {
        alter type document_status rename value "finl" to "published";
    }
}

fn main() {}
