use migrate_runtime::migration;

mod m0001;

/// Statements are separated.
#[migration(revision = "2", parent = "1")]
mod change {
    up! {
        alter table documents add column a text
        alter table documents add column b text;
    }
}

fn main() {}
