use migrate_runtime::migration;

mod m0001;

/// The baseline has such a constraint.
#[migration(revision = "2", parent = "1")]
mod documents {
    up! {
        alter table documents add constraint documents_title_check check (title <> "");
    }
}

fn main() {}
