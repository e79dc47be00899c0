use migrate_runtime::migration;

/// The function gives no future.
#[migration(revision = "1")]
mod baseline {
    up! {
        create table documents (id uuid primary key, title text);
        run backfill_titles;
    }

    irreversible!("nobody knows the titles of before");

    fn backfill_titles(_tx: &mut Tx<'_>) -> migrate_runtime::Result<()> {
        Ok(())
    }
}

fn main() {}
