use migrate_runtime::migration;

mod m0001;

/// A table is misspelt.
#[migration(revision = "2", parent = "1")]
mod documents {
    up! {
        alter table documnets add column status text;
    }
}

fn main() {}
