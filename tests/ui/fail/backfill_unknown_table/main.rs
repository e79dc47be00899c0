use migrate_runtime::migration;

/// The table is misspelt, and so is a column.
#[migration(revision = "1")]
mod baseline {
    up! {
        create table documents (id uuid primary key, title text, file_name text);
        backfill update documents set titel = file_name where title is null in batches of 1000;
        backfill delete from documnts
            where title is null
            in batches of 500;
    }

    irreversible!("nobody knows the titles of before");
}

fn main() {}
