use migrate_runtime::migration;

mod m0001;

/// A schema that nobody created.
#[migration(revision = "2", parent = "1")]
mod change {
    up! {
        create table reportin.totals (id bigint primary key);
    }
}

fn main() {}
