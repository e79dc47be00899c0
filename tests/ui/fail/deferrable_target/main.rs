use migrate_runtime::migration;

mod m0001;

/// A deferrable key is no target of foreign keys.
#[migration(revision = "2", parent = "1")]
mod change {
    up! {
        alter table logins add foreign key (email) references users (email) not valid;
    }
}

fn main() {}
