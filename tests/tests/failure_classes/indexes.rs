//! What is built outside of a transaction may be left half done.

use crate::{journal, until, up};
use migrate_tests::{Database, server};
use sqlx::{Connection as _, Executor as _};
use std::time::Duration;

const BASE: &str = "=== aaa111 m1\ncreate table items (id int primary key, name text);\n";
const VALID: &str = "select string_agg(relname || ' ' || (indisvalid and indisready), ', ' order by relname) from pg_index \
                     join pg_class on pg_class.oid = indexrelid where indrelid = 'items'::regclass";

#[tokio::test]
async fn an_invalid_index_of_somebody_elses_attempt_is_built_anew() {
    let database = Database::create(server()).await;
    up(&database, BASE).await.unwrap();
    database.execute("insert into items values (1, 'a'), (2, 'a')").await.unwrap();
    database.execute("create unique index concurrently items_name_key on items (name)").await.unwrap_err();
    assert_eq!(database.text(VALID).await.unwrap(), "items_name_key false, items_pkey true");
    database.execute("delete from items where id = 2").await.unwrap();
    let text =
        format!("{BASE}=== bbb222 m2 after aaa111\ncreate unique index concurrently if not exists items_name_key on items (name);\n");
    up(&database, &text).await.unwrap();
    assert_eq!(database.text(VALID).await.unwrap(), "items_name_key true, items_pkey true");
}

#[tokio::test]
async fn an_invalid_index_is_replaced_whatever_it_was_to_be() {
    let database = Database::create(server()).await;
    up(&database, BASE).await.unwrap();
    database.execute("insert into items values (1, 'a'), (2, 'a')").await.unwrap();
    database.execute("create unique index concurrently items_name_idx on items (name)").await.unwrap_err();
    let text = format!("{BASE}=== bbb222 m2 after aaa111\ncreate index concurrently items_name_idx on items (name);\n");
    up(&database, &text).await.unwrap();
    assert_eq!(database.text(VALID).await.unwrap(), "items_name_idx true, items_pkey true");
    assert_eq!(
        database.text("select indisunique::text from pg_index where indexrelid = 'items_name_idx'::regclass").await.unwrap(),
        "false"
    );
}

#[tokio::test]
async fn a_failure_behind_a_finished_index_keeps_it_and_goes_on_behind_it() {
    let database = Database::create(server()).await;
    let text = format!(
        "{BASE}insert into items values (1, null);\n=== bbb222 m2 after aaa111\nalter table items add column note text;\n\
         create index concurrently items_name_idx on items (name);\nalter table items alter column name set not null;\n"
    );
    let error = up(&database, &text).await.unwrap_err();
    assert_eq!(error.sqlstate().as_deref(), Some("23502"), "{error}");
    let now = "what the migration had committed before it is done and recorded; the rest was rolled back";
    assert_eq!(error.now().as_deref(), Some(now));
    let index = database.text("select 'items_name_idx'::regclass::oid::text").await.unwrap();
    database.execute("update items set name = 'a'").await.unwrap();
    up(&database, &text).await.unwrap();
    assert_eq!(
        journal(&database).await,
        "aaa111 1 applied, aaa111 2 applied, bbb222 1 applied, bbb222 2 started, bbb222 2 applied, bbb222 3 failed, bbb222 3 applied"
    );
    assert_eq!(database.text("select 'items_name_idx'::regclass::oid::text").await.unwrap(), index, "it was built once");
}

#[tokio::test]
async fn what_a_failed_reindex_leaves_disturbs_nobody() {
    let database = Database::create(server()).await;
    let text = format!("{BASE}create index items_name_idx on items (name);\n");
    up(&database, &text).await.unwrap();
    // as an interrupted `reindex concurrently` leaves it
    database
        .execute("create index items_name_idx_ccnew on items (name); update pg_index set indisvalid = false, indisready = false where indexrelid = 'items_name_idx_ccnew'::regclass")
        .await
        .unwrap();
    let text = format!(
        "{text}=== bbb222 m2 after aaa111\nalter table items rename column name to title;\ncreate index items_id_idx on items (id, title);\n"
    );
    up(&database, &text).await.unwrap();
    assert_eq!(database.text(VALID).await.unwrap(), "items_id_idx true, items_name_idx true, items_name_idx_ccnew false, items_pkey true");
}

#[tokio::test]
async fn an_index_that_somebody_else_is_building_is_waited_for() {
    let database = Database::create(server()).await;
    up(&database, BASE).await.unwrap();
    let mut application = database.connect().await;
    let mut transaction = application.begin().await.unwrap();
    transaction.execute("insert into items values (1, 'a')").await.unwrap();
    let mut administrator = database.connect().await;
    let text = format!("{BASE}=== bbb222 m2 after aaa111\ncreate index concurrently items_name_idx on items (name);\n");
    let build =
        tokio::spawn(
            async move { administrator.execute("CREATE INDEX CONCURRENTLY items_name_idx ON public.items (name)").await.map(drop) },
        );
    until(&database, "exists (select from pg_index where not indisvalid and indexrelid = to_regclass('items_name_idx'))").await;
    let index = database.text("select 'items_name_idx'::regclass::oid::text").await.unwrap();
    let (result, ()) = tokio::join!(up(&database, &text), async {
        tokio::time::sleep(Duration::from_millis(600)).await;
        transaction.commit().await.unwrap();
    });
    build.await.unwrap().unwrap();
    result.unwrap();
    assert_eq!(journal(&database).await, "aaa111 1 applied, bbb222 1 started, bbb222 1 satisfied");
    assert_eq!(database.text("select 'items_name_idx'::regclass::oid::text").await.unwrap(), index, "it was built once");
    assert_eq!(database.text(VALID).await.unwrap(), "items_name_idx true, items_pkey true");
}
