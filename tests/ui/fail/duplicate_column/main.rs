use migrate_runtime::migration;

mod m0001;

/// The baseline has such a column.
#[migration(revision = "2", parent = "1")]
mod documents {
    up! {
        alter table documents add column title text;
    }
}

fn main() {}
