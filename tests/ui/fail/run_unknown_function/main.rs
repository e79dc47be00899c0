use migrate_runtime::migration;

/// The function is misspelt.
#[migration(revision = "1")]
mod baseline {
    up! {
        create table documents (id uuid primary key, title text);
        run backfill_title;
    }

    irreversible!("nobody knows the titles of before");

    async fn backfill_titles(_tx: &mut Tx<'_>) -> migrate_runtime::Result<()> {
        Ok(())
    }
}

fn main() {}
