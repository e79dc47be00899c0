use migrate_runtime::migration;

mod m0001;

/// A new table with a column twice.
#[migration(revision = "2", parent = "1")]
mod change {
    up! {
        create table notes (id bigint primary key, text text, text text);
    }
}

fn main() {}
