use migrate_runtime::migration;

mod m0001;

/// A view reads the column whose type changes.
#[migration(revision = "2", parent = "1")]
mod change {
    up! {
        alter table documents alter column title type varchar(80);
    }
}

fn main() {}
