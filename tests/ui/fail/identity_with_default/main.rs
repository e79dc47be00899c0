use migrate_runtime::migration;

mod m0001;

/// An identity has no other default.
#[migration(revision = "2", parent = "1")]
mod change {
    up! {
        alter table documents alter column id add generated always as identity;
    }
}

fn main() {}
