use migrate_runtime::migration;

mod m0001;

/// A view reads tables that are there.
#[migration(revision = "2", parent = "1")]
mod change {
    up! {
        create view titles as select id, title from documnets;
    }
}

fn main() {}
