use migrate_runtime::migration;

/// The table is misspelt; the other one has no key.
#[migration(revision = "1")]
mod baseline {
    up! {
        create table documents (id uuid primary key, title text);
        create table notes (note text);
        run fill_titles in batches of 1000 over documnts;
        run fill_titles in batches of 1000 over notes;
    }

    irreversible!("nobody knows the titles of before");

    async fn fill_titles(_tx: &mut Tx<'_>, _batch: &Batch) -> migrate_runtime::Result<u64> {
        Ok(0)
    }
}

fn main() {}
