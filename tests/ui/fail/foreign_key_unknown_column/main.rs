use migrate_runtime::migration;

mod m0001;

/// A foreign key to a column that is misspelt.
#[migration(revision = "2", parent = "1")]
mod documents {
    up! {
        alter table documents add foreign key (owner_id) references users (uid);
    }
}

fn main() {}
