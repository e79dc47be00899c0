use migrate_runtime::migration;

mod m0001;

/// A generated column has no default.
#[migration(revision = "2", parent = "1")]
mod change {
    up! {
        alter table invoices alter column total set default 0;
    }
}

fn main() {}
