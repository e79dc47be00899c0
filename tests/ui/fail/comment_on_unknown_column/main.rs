use migrate_runtime::migration;

mod m0001;

/// A comment on a column that isn't there.
#[migration(revision = "2", parent = "1")]
mod change {
    up! {
        comment on column documents.titel is "What it is called.";
    }
}

fn main() {}
