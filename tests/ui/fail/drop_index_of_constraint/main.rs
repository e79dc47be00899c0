use migrate_runtime::migration;

mod m0001;

/// The index of a constraint goes with it.
#[migration(revision = "2", parent = "1")]
mod change {
    up! {
        drop index documents_pkey;
    }
    irreversible!("it is gone");
}

fn main() {}
