use migrate_runtime::migration;

mod m0001;

/// The baseline has such an index.
#[migration(revision = "2", parent = "1")]
mod documents {
    up! {
        create index documents_title_idx on documents (title);
    }
}

fn main() {}
