use migrate_runtime::migration;

mod m0001;

/// Text becomes no enum by itself.
#[migration(revision = "2", parent = "1")]
mod change {
    up! {
        alter table documents alter column status type status;
    }
}

fn main() {}
