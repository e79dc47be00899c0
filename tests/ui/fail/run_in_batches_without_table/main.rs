use migrate_runtime::migration;

/// Nothing says which rows are meant.
#[migration(revision = "1")]
mod baseline {
    up! {
        create table documents (id uuid primary key, title text);
        run fill_titles in batches of 1000;
    }

    irreversible!("nobody knows the titles of before");

    async fn fill_titles(_tx: &mut Tx<'_>, _batch: &Batch) -> migrate_runtime::Result<u64> {
        Ok(0)
    }
}

fn main() {}
