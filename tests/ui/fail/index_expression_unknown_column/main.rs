use migrate_runtime::migration;

mod m0001;

/// An expression in an index reads columns of the table.
#[migration(revision = "2", parent = "1")]
mod change {
    up! {
        create index concurrently documents_lower_idx on documents (lower(titel));
    }
}

fn main() {}
