use migrate_runtime::migration;

mod m0001;

/// A view reads the column that goes.
#[migration(revision = "2", parent = "1")]
mod change {
    up! {
        alter table documents drop column title;
    }
}

fn main() {}
