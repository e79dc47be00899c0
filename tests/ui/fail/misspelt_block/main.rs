use migrate_runtime::migration;

/// The block is misspelt.
#[migration(revision = "1")]
mod documents {
    upp! {
        create table documents (id uuid primary key);
    }
}

fn main() {}
