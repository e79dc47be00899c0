use migrate_runtime::migration;

mod m0001;

/// A view reads columns that are there.
#[migration(revision = "2", parent = "1")]
mod change {
    up! {
        create view titles as select d.id, d.titel from documents d;
    }
}

fn main() {}
