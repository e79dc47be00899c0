use migrate_runtime::migration;

/// Works with the names of its own time.
#[migration(revision = "2", parent = "1")]
mod titles {
    use schema::billing::invoices;

    up! {
        alter table documents rename column order_number to number;
        run fill;
        alter table documents drop column file_name;
        alter table documents alter column title set not null;
    }

    down! {
        alter table documents alter column title drop not null;
        alter table documents add column file_name text;
        alter table documents rename column number to order_number;
    }

    async fn fill(tx: &mut Tx<'_>) -> migrate_runtime::Result<()> {
        use schema::documents::{FILE_NAME, NUMBER, TABLE, TITLE};
        tx.execute(&format!("update {TABLE} set {TITLE} = {FILE_NAME} where {TITLE} is null and {NUMBER} > 0")).await?;
        Ok(())
    }

    #[test]
    fn the_names_are_those_of_the_database() {
        assert_eq!(schema::documents::MIXED_CASE, "\"Mixed Case\"");
        assert_eq!((invoices::TABLE, invoices::DOCUMENT_ID), ("billing.invoices", "document_id"));
        assert_eq!(schema::r#type::TABLE, "type");
    }
}
