use migrate_runtime::migration;

mod m0001;

/// The column is gone since the baseline.
#[migration(revision = "2", parent = "1")]
mod documents {
    up! {
        alter table documents alter column body set not null;
    }
}

fn main() {}
