use migrate_runtime::migration;

#[migration(revision = "d47310025be2", parent = "774225e563ca")]
mod fill {
    up! {
        run fill;
    }

    down! {}

    async fn fill(tx: &mut Tx<'_>) -> migrate_runtime::Result<()> {
        use schema::documents;
        tx.execute(&format!("update {} set {} = ''", documents::TABLE, documents::TITEL)).await?;
        Ok(())
    }
}
