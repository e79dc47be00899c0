use migrate_runtime::migration;

mod m0001;

/// Indexes share the names of tables.
#[migration(revision = "2", parent = "1")]
mod change {
    up! {
        create index concurrently titles on documents (title);
    }
}

fn main() {}
