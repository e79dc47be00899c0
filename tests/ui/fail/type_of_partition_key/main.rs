use migrate_runtime::migration;

mod m0001;

/// The partition key keeps its type.
#[migration(revision = "2", parent = "1")]
mod change {
    up! {
        alter table events alter column at type timestamptz;
    }
}

fn main() {}
