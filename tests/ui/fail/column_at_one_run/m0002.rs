use migrate_runtime::migration;

#[migration(revision = "774225e563ca", parent = "65e4b4ef883d")]
mod contents {
    up! {
        run keep;
        alter table documents drop column body;
        run count;
    }

    down! {
        alter table documents add column body text;
    }

    async fn keep(tx: &mut Tx<'_>) -> migrate_runtime::Result<()> {
        tx.execute(&format!("insert into kept select {} from {}", schema::documents::BODY, schema::documents::TABLE)).await?;
        Ok(())
    }

    async fn count(tx: &mut Tx<'_>) -> migrate_runtime::Result<()> {
        tx.execute(&format!("select {} from {}", schema::documents::ID, schema::documents::TABLE)).await?;
        Ok(())
    }
}
