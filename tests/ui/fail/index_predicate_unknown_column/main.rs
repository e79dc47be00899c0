use migrate_runtime::migration;

mod m0001;

/// A partial index reads columns of the table.
#[migration(revision = "2", parent = "1")]
mod change {
    up! {
        create index concurrently documents_live_idx on documents (title) where deleted_at is null;
    }
}

fn main() {}
