use migrate_runtime::migration;

mod m0001;

/// The index of a constraint is on its table.
#[migration(revision = "2", parent = "1")]
mod change {
    up! {
        alter table documents add constraint documents_key unique using index users_email_idx;
    }
}

fn main() {}
