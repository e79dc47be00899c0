use migrate_runtime::migration;

mod m0001;

/// A check of a new table reads its own columns.
#[migration(revision = "2", parent = "1")]
mod change {
    up! {
        create table invoices (id bigint primary key, price numeric, check (pryce > 0));
    }
}

fn main() {}
