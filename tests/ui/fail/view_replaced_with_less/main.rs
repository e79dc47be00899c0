use migrate_runtime::migration;

mod m0001;

/// A replaced view keeps its columns.
#[migration(revision = "2", parent = "1")]
mod change {
    up! {
        create or replace view titles as select id from documents;
    }
}

fn main() {}
