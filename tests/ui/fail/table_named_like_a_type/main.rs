use migrate_runtime::migration;

mod m0001;

/// Every table is a type, too.
#[migration(revision = "2", parent = "1")]
mod change {
    up! {
        create table status (id bigint primary key);
    }
}

fn main() {}
