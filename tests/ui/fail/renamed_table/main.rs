use migrate_runtime::migration;

mod m0001;

/// The table has another name since the baseline.
#[migration(revision = "2", parent = "1")]
mod documents {
    up! {
        alter table documents add column status text;
    }
}

fn main() {}
