use migrate_runtime::migration;

mod m0001;

/// Both columns in one statement.
#[migration(revision = "2", parent = "1")]
mod change {
    up! {
        alter table documents add column slug text, add column slug text;
    }
}

fn main() {}
