use migrate_runtime::migration;

mod m0001;

/// Other tables refer to the table.
#[migration(revision = "2", parent = "1")]
mod documents {
    up! {
        drop table users;
    }
}

fn main() {}
