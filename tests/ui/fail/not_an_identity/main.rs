use migrate_runtime::migration;

mod m0001;

/// What is no identity can't lose it.
#[migration(revision = "2", parent = "1")]
mod change {
    up! {
        alter table documents alter column title drop identity;
    }
}

fn main() {}
