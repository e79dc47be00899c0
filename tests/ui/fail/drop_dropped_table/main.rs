use migrate_runtime::migration;

mod m0001;

/// A table that an earlier migration dropped.
#[migration(revision = "2", parent = "1")]
mod change {
    up! {
        drop table notes;
    }
    irreversible!("it is gone");
}

fn main() {}
