use migrate_runtime::migration;

mod m0001;

/// A table has one primary key.
#[migration(revision = "2", parent = "1")]
mod change {
    up! {
        alter table documents add constraint documents_key primary key (title);
    }
}

fn main() {}
