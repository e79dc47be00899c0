use migrate_runtime::migration;

#[migration(revision = "d47310025be2", parent = "774225e563ca")]
mod fill {
    up! {
        run fill;
    }

    down! {}

    async fn fill(tx: &mut Tx<'_>) -> migrate_runtime::Result<()> {
        tx.execute(&format!("update {} set {} = 1", schema::documents::TABLE, schema::documents::SIZE)).await?;
        Ok(())
    }
}
