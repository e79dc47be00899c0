use migrate_runtime::migration;

mod m0001;

/// The sequence of an identity is the column's.
#[migration(revision = "2", parent = "1")]
mod change {
    up! {
        alter sequence invoices_id_seq restart with 100;
    }
}

fn main() {}
