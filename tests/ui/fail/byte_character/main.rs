use migrate_runtime::migration;

mod m0001;

/// A byte is no value of SQL.
#[migration(revision = "2", parent = "1")]
mod change {
    up! {
        alter table documents add column kind "char" default b'a';
    }
}

fn main() {}
