use migrate_runtime::migration;

mod m0001;

/// An index is misspelt.
#[migration(revision = "2", parent = "1")]
mod documents {
    up! {
        drop index documents_titel_idx;
    }
}

fn main() {}
