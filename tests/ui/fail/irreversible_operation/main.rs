use migrate_runtime::migration;

/// What a dropped column held cannot be derived.
#[migration(revision = "1")]
mod baseline {
    up! {
        create table documents (id uuid primary key, title text);
        run backfill_titles;
    }

    async fn backfill_titles(_tx: &mut Tx<'_>) -> migrate_runtime::Result<()> {
        Ok(())
    }
}

fn main() {}
