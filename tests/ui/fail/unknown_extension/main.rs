use migrate_runtime::migration;

mod m0001;

/// An extension that nobody created.
#[migration(revision = "2", parent = "1")]
mod change {
    up! {
        drop extension pgcripto;
    }
}

fn main() {}
