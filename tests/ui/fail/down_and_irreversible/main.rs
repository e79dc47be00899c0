use migrate_runtime::migration;

/// Has a way back, and says that there is none.
#[migration(revision = "1")]
mod baseline {
    up! {
        create table documents (id uuid primary key);
    }

    down! {
        drop table documents;
    }

    irreversible!("documents are forever");
}

fn main() {}
