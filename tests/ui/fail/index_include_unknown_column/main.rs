use migrate_runtime::migration;

mod m0001;

/// An index includes columns of the table.
#[migration(revision = "2", parent = "1")]
mod change {
    up! {
        create index concurrently documents_title_idx on documents (title) include (tags);
    }
}

fn main() {}
