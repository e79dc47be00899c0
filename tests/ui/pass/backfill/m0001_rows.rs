use migrate_runtime::migration;

/// Changes rows in batches, there and back.
#[migration(revision = "1")]
mod rows {
    up! {
        create table documents (id uuid primary key, title text, file_name text, outdated boolean);

        backfill update documents as d set title = d.file_name
            where d.title is null and d.file_name <> "in batches of 5"
            in batches of 1_000;
        backfill delete from documents where outdated in batches of 500;
        run fill_titles in batches of 200 over documents;
        run steps::trim in batches of 200 over public.documents;

        if exists table issues {
            backfill update issues set sent = true in batches of 10;
        }

        postgres {
            backfill update documents set title = initcap(title) where title is not null in batches of 1000;
        }
        sqlite {
            backfill update documents set title = upper(title) where title glob "a*" in batches of 1000;
        }
    }

    down! {
        backfill update documents set title = null where true in batches of 1000;
        run fill_titles in batches of 100 over documents;
        drop table documents;
    }

    async fn fill_titles(tx: &mut Tx<'_>, batch: &Batch) -> migrate_runtime::Result<u64> {
        use schema::documents::{TABLE, TITLE};
        tx.execute(&format!("update {TABLE} set {TITLE} = 'untitled' where {TITLE} is null and {}", batch.condition())).await
    }

    mod steps {
        use migrate_runtime::{Batch, Tx};

        pub async fn trim(tx: &mut Tx<'_>, batch: &Batch) -> migrate_runtime::Result<u64> {
            let table = batch.table();
            tx.execute(&format!("update {table} as d set title = trim(title) where {}", batch.condition_as("d"))).await
        }
    }
}
