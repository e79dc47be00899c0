use migrate_runtime::migration;

/// The engine has the savepoints in its hands.
#[migration(revision = "1")]
mod baseline {
    up! {
        create table documents (id uuid primary key);
        savepoint here;
    }

    irreversible!("not the mistake here");
}

fn main() {}
