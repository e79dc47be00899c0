use migrate_runtime::migration;

/// The function does not take the transaction.
#[migration(revision = "1")]
mod baseline {
    up! {
        create table documents (id uuid primary key, title text);
        run backfill_titles;
    }

    irreversible!("nobody knows the titles of before");

    async fn backfill_titles() -> migrate_runtime::Result<()> {
        Ok(())
    }
}

fn main() {}
