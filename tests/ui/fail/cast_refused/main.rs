use migrate_runtime::migration;

mod m0001;

/// Text becomes no number by itself.
#[migration(revision = "2", parent = "1")]
mod change {
    up! {
        alter table documents alter column version type integer;
    }
}

fn main() {}
