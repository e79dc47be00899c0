use migrate_runtime::migration;

mod m0001;

/// A renamed index is told by its new name.
#[migration(revision = "2", parent = "1")]
mod change {
    up! {
        drop index concurrently documents_title_idx;
    }
}

fn main() {}
