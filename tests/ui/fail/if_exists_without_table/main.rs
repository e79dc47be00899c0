use migrate_runtime::migration;

/// Only of tables can be asked whether they exist.
#[migration(revision = "1")]
mod baseline {
    up! {
        create table documents (id uuid primary key, title text);
        if exists documents {
            create index documents_title_idx on documents (title);
        }
    }
}

fn main() {}
