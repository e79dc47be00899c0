use migrate_runtime::migration;

mod m0001;

/// A default for a column that isn't there.
#[migration(revision = "2", parent = "1")]
mod change {
    up! {
        alter table documents alter column staus set default "draft";
    }
}

fn main() {}
