use migrate_runtime::migration;

/// The argument is misspelt.
#[migration(revison = "1")]
mod documents {
    up! {
        create table documents (id uuid primary key);
    }
}

fn main() {}
