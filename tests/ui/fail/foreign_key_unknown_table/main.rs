use migrate_runtime::migration;

mod m0001;

/// A foreign key to a table that is misspelt.
#[migration(revision = "2", parent = "1")]
mod documents {
    up! {
        create table reviews (
            id          bigint primary key,
            document_id uuid not null references document (id)
        );
    }
}

fn main() {}
