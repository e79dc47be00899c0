use migrate_runtime::migration;

mod m0001;

/// An attribute that statements do not have.
#[migration(revision = "2", parent = "1")]
mod documents {
    up! {
        #[cfg(feature = "reviews")]
        create table reviews (id bigint primary key);
    }
}

fn main() {}
