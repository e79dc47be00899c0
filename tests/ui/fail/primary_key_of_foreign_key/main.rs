use migrate_runtime::migration;

mod m0001;

/// A foreign key rests on the primary key.
#[migration(revision = "2", parent = "1")]
mod change {
    up! {
        alter table users drop constraint users_pkey;
    }
}

fn main() {}
