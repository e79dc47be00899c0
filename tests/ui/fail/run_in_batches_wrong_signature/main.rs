use migrate_runtime::migration;

/// One function does not take the batch, the other does not say how many rows it has changed.
#[migration(revision = "1")]
mod baseline {
    up! {
        create table documents (id uuid primary key, title text);
        run fill_titles in batches of 1000 over documents;
        run trim_titles in batches of 1000 over documents;
    }

    irreversible!("nobody knows the titles of before");

    async fn fill_titles(_tx: &mut Tx<'_>) -> migrate_runtime::Result<u64> {
        Ok(0)
    }

    async fn trim_titles(_tx: &mut Tx<'_>, _batch: &Batch) -> migrate_runtime::Result<()> {
        Ok(())
    }
}

fn main() {}
