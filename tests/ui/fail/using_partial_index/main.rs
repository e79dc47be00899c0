use migrate_runtime::migration;

mod m0001;

/// A partial index becomes no constraint.
#[migration(revision = "2", parent = "1")]
mod change {
    up! {
        alter table documents add constraint documents_title_key unique using index documents_title_idx;
    }
}

fn main() {}
