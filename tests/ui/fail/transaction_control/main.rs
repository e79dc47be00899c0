use migrate_runtime::migration;

/// The engine has the transaction in its hands.
#[migration(revision = "1")]
mod baseline {
    up! {
        create table documents (id uuid primary key);
        commit;
    }
}

fn main() {}
