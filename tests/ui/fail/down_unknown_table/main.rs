use migrate_runtime::migration;

mod m0001;

/// A table is misspelt in the way back.
#[migration(revision = "2", parent = "1")]
mod documents {
    up! {
        alter table documents add column status text;
    }

    down! {
        alter table documnets drop column status;
    }
}

fn main() {}
