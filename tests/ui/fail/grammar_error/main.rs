use migrate_runtime::migration;

/// A keyword is misspelt in the middle of a statement.
#[migration(revision = "1")]
mod baseline {
    up! {
        create table documents (
            id    uuid primary key,
            title text nott null,
            body  text
        );
    }
}

fn main() {}
