use migrate_runtime::migration;

mod m0001;

/// The search path is the engine's.
#[migration(revision = "2", parent = "1")]
mod change {
    up! {
        set search_path to app;
    }
    irreversible!("a setting");
}

fn main() {}
