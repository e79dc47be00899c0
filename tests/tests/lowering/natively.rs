//! A `not null` that somebody has added `not valid`, which PostgreSQL 18 can: rows may be null all the same.

use super::{chain_of, filled, migrator, state};
use migrate_runtime::{Database as Migrator, Migrations};
use migrate_tests::{Database, servers};

const SET: &str = "alter table orders alter column email set not null";
const BEGUN: &str = "alter table orders add constraint orders_email_not_null not null email not valid";

/// A database of each server that knows such constraints, with one. The others have none to be taken for something else.
async fn begun(chain: Migrations, sql: &str) -> Vec<Database> {
    let mut begun = Vec::new();
    for server in servers() {
        let database = filled(server, chain).await;
        if database.text("select (current_setting('server_version_num')::integer < 180000)::text").await.unwrap() == "true" {
            assert!(database.execute(BEGUN).await.is_err(), "it has no such constraint");
            continue;
        }
        database.execute(&format!("{BEGUN}; {sql}")).await.unwrap();
        begun.push(database);
    }
    begun
}

async fn plain(chain: Migrations) -> Vec<(String, String)> {
    let mut plain = Vec::new();
    for database in begun(chain, "").await {
        database.execute(SET).await.unwrap();
        migrator(database.url(), u64::MAX).0.up(chain, None).await.unwrap();
        plain.push((state(&database).await, database.dump().await));
    }
    plain
}

#[tokio::test]
async fn it_is_no_more_than_a_beginning_and_is_validated_by_itself() {
    let chain = chain_of(SET);
    let plain = plain(chain).await;
    for (database, plain) in begun(chain, "").await.into_iter().zip(&plain) {
        let (migrator, told) = migrator(database.url(), 0);
        migrator.up(chain, None).await.unwrap();
        assert_eq!(*told.lock().unwrap(), ["alter table public.orders validate constraint orders_email_not_null"]);
        assert_eq!((&state(&database).await, &database.dump().await), (&plain.0, &plain.1));
    }
    // where the table is small, the statement does both
    for (database, plain) in begun(chain, "").await.into_iter().zip(&plain) {
        let (migrator, told) = migrator(database.url(), u64::MAX);
        migrator.up(chain, None).await.unwrap();
        assert_eq!(told.lock().unwrap().len(), 0);
        assert_eq!((&state(&database).await, &database.dump().await), (&plain.0, &plain.1));
    }
    // what an interrupted attempt of ours had begun beside it goes
    let proof = "alter table orders add constraint _migrate_email_not_null check (email is not null) not valid";
    for (database, plain) in begun(chain, proof).await.into_iter().zip(&plain) {
        let (migrator, told) = migrator(database.url(), u64::MAX);
        migrator.up(chain, None).await.unwrap();
        assert_eq!(told.lock().unwrap().len(), 2, "{told:?}");
        assert_eq!((&state(&database).await, &database.dump().await), (&plain.0, &plain.1));
    }
}

#[tokio::test]
async fn rows_that_are_null_are_named_and_it_stays_as_it_was() {
    let chain = chain_of(SET);
    // it comes after the rows
    for database in begun(chain, "alter table orders drop constraint orders_email_not_null").await {
        database.execute("update orders set email = null where id in (5, 7)").await.unwrap();
        database.execute(BEGUN).await.unwrap();
        let before = state(&database).await;
        for large_table in [0, u64::MAX] {
            let error = migrator(database.url(), large_table).0.up(chain, None).await.unwrap_err();
            assert_eq!(error.sqlstate().as_deref(), Some("23502"), "{error}");
            let named = error.to_string().contains("column \"email\" of relation \"orders\" contains null values: (id) = (5), (7)");
            assert_eq!(named, large_table == 0, "{error}");
            assert_eq!(state(&database).await, before, "it is somebody else's");
        }
    }
}

#[tokio::test]
async fn a_column_that_is_null_all_the_same_is_neither_not_null_nor_null() {
    let chain = chain_of("alter table orders add column token text not null default 'x'");
    for database in
        begun(chain, "alter table orders add column token text default 'x'; alter table orders add not null token not valid").await
    {
        let error = migrator(database.url(), 0).0.up(chain, None).await.unwrap_err().to_string();
        assert!(error.contains("column orders.token: not null is not validated, expected yes"), "{error}");
    }
}

#[tokio::test]
async fn dropping_it_is_still_to_be_done() {
    let chain = chain_of(&format!("{SET};\n=== ccc333 m3 after bbb222\nalter table orders alter column email drop not null"));
    for database in begun(chain, "").await {
        let (migrator, _) = migrator(database.url(), u64::MAX);
        migrator.up(chain, Some("m2")).await.unwrap();
        database.execute(&format!("alter table orders alter column email drop not null; {BEGUN}")).await.unwrap();
        migrator.up(chain, None).await.unwrap();
        assert!(!state(&database).await.contains("orders_email_not_null"));
    }
}

#[tokio::test]
async fn its_table_is_not_filled_and_batches_do_not_go_along_it() {
    let chain = chain_of("alter table orders add column token uuid default gen_random_uuid()");
    let without_value = "alter table orders drop constraint orders_email_not_null; update orders set email = null where id = 5";
    for database in begun(chain, without_value).await {
        database.execute(BEGUN).await.unwrap();
        let (migrator, told) = migrator(database.url(), 0);
        // an update of the row would be refused
        migrator.up(chain, None).await.unwrap();
        assert_eq!(told.lock().unwrap().len(), 0, "{told:?}");
        assert_eq!(database.text("select count(token)::text from orders").await.unwrap(), "100");
    }
    let chain = chain_of("backfill update orders set amount = 7 in batches of 10;\n--- irreversible rows");
    for database in begun(chain, without_value).await {
        let keys = "alter table orders drop constraint orders_pkey; create unique index emails on orders (email)";
        database.execute(&format!("{BEGUN}; {keys}")).await.unwrap();
        let error = Migrator::new(database.url()).unwrap().up(chain, None).await.unwrap_err().to_string();
        assert!(error.contains("table `orders` has no key to walk along in batches"), "{error}");
    }
}

#[tokio::test]
async fn a_primary_key_of_it_is_refused_by_the_server() {
    let chain = chain_of("alter table orders drop constraint orders_pkey;\nalter table orders add primary key (email)");
    for database in begun(chain, "").await {
        let before = state(&database).await;
        let error = migrator(database.url(), 0).0.up(chain, None).await.unwrap_err();
        assert!(error.to_string().contains("orders_email_not_null"), "{error}");
        assert_eq!(state(&database).await, before);
    }
}
