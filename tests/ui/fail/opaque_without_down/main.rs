use migrate_runtime::migration;

/// Nobody can derive the way back from a statement that the model does not know.
#[migration(revision = "1")]
mod baseline {
    up! {
        create table documents (id uuid primary key, title text);
        cluster documents using documents_pkey;
    }
}

fn main() {}
