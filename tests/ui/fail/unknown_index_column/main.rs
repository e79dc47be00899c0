use migrate_runtime::migration;

mod m0001;

/// An index on a column that is misspelt.
#[migration(revision = "2", parent = "1")]
mod documents {
    up! {
        create index documents_title_idx on documents (titel);
    }
}

fn main() {}
