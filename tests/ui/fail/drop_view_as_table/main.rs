use migrate_runtime::migration;

mod m0001;

/// A view is dropped as a view.
#[migration(revision = "2", parent = "1")]
mod change {
    up! {
        drop table titles;
    }
    irreversible!("it is gone");
}

fn main() {}
