use migrate_runtime::migration;

/// Which revision?
#[migration(parent = "1")]
mod documents {
    up! {
        create table documents (id uuid primary key);
    }
}

fn main() {}
