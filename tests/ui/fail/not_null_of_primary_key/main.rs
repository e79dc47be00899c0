use migrate_runtime::migration;

mod m0001;

/// A column of the primary key is not null.
#[migration(revision = "2", parent = "1")]
mod change {
    up! {
        alter table documents alter column id drop not null;
    }
}

fn main() {}
