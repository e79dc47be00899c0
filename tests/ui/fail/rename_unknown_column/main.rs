use migrate_runtime::migration;

mod m0001;

/// The column to rename is unknown.
#[migration(revision = "2", parent = "1")]
mod change {
    up! {
        alter table documents rename column boddy to content;
    }
}

fn main() {}
