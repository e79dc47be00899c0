use migrate_runtime::migration;

/// A database that is not one of the two.
#[migration(revision = "1")]
mod baseline {
    up! {
        create table documents (id uuid primary key, title text);
        postgresql {
            create index documents_title_idx on documents (title);
        }
    }
}

fn main() {}
