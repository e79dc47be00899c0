use migrate_runtime::migration;

/// A comma is missing.
#[migration(revision = "1")]
mod baseline {
    up! {
        create table documents (
            id    uuid primary key
            title text not null
        );
    }
}

fn main() {}
