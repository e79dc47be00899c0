use migrate_runtime::migration;

mod m0001;

/// A renamed constraint is told by its new name.
#[migration(revision = "2", parent = "1")]
mod change {
    up! {
        alter table documents drop constraint titled;
    }
}

fn main() {}
