use migrate_runtime::migration;

#[migration(revision = "c7d40b83a5f6", parent = "65e4b4ef883d")]
mod backfill {
    up! {
        run fill;
    }

    down! {}

    async fn fill(_: &mut Tx<'_>) -> migrate_runtime::Result<()> {
        Ok(())
    }
}
