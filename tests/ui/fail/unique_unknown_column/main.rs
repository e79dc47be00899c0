use migrate_runtime::migration;

mod m0001;

/// A unique constraint names columns of its table.
#[migration(revision = "2", parent = "1")]
mod change {
    up! {
        alter table documents add constraint documents_slug_key unique (slug);
    }
}

fn main() {}
