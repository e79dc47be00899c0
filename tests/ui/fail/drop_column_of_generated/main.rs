use migrate_runtime::migration;

mod m0001;

/// A generated column is computed from it.
#[migration(revision = "2", parent = "1")]
mod change {
    up! {
        alter table invoices drop column price;
    }
}

fn main() {}
