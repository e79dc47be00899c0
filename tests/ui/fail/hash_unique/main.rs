use migrate_runtime::migration;

mod m0001;

/// A hash index is not unique.
#[migration(revision = "2", parent = "1")]
mod change {
    up! {
        create unique index concurrently documents_title_idx on documents using hash (title);
    }
}

fn main() {}
