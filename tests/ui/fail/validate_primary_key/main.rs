use migrate_runtime::migration;

mod m0001;

/// Only foreign keys and checks are validated.
#[migration(revision = "2", parent = "1")]
mod change {
    up! {
        alter table documents validate constraint documents_pkey;
    }
}

fn main() {}
