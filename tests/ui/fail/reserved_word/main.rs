use migrate_runtime::migration;

mod m0001;

/// A keyword as the name of a column.
#[migration(revision = "2", parent = "1")]
mod documents {
    up! {
        create table reviews (id bigint primary key, order integer);
    }
}

fn main() {}
