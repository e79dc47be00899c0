use migrate_runtime::migration;

mod m0001;

/// `pg_` belongs to PostgreSQL.
#[migration(revision = "2", parent = "1")]
mod change {
    up! {
        create schema pg_reports;
    }
}

fn main() {}
