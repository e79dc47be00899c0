use migrate_runtime::migration;

mod m0001;

/// There is no input in a migration.
#[migration(revision = "2", parent = "1")]
mod change {
    up! {
        copy documents from stdin;
    }
    irreversible!("rows are rows");
}

fn main() {}
