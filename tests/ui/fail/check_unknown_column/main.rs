use migrate_runtime::migration;

mod m0001;

/// A check reads columns of its table.
#[migration(revision = "2", parent = "1")]
mod change {
    up! {
        alter table documents add constraint documents_length_check check (length(titel) < 100) not valid;
    }
}

fn main() {}
