use migrate_runtime::migration;

mod m0001;

/// What goes concurrently goes alone.
#[migration(revision = "2", parent = "1")]
mod change {
    up! {
        drop index concurrently documents_title_idx cascade;
    }
}

fn main() {}
