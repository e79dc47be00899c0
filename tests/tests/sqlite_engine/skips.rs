//! Tables that only some deployments have.

use super::chain::{Draft, chain};
use super::database::{File, count};
use migrate_runtime::{Migrations, Outcome};

fn shop() -> Migrations {
    chain(vec![
        Draft::new("a1", &[])
            .up("create table orders (id bigint primary key)")
            .optional("create table coupons (id bigint primary key, code text)"),
        Draft::new("b2", &["a1"])
            .up("alter table coupons add column percent integer not null default 10")
            .up("alter table orders add column total numeric")
            .up("create index coupons_code_idx on coupons (code)"),
        Draft::new("c3", &["b2"])
            .up("alter table coupons alter column percent drop default")
            .if_exists("alter table legacy add column note text"),
    ])
}

#[tokio::test]
async fn what_is_missing_is_skipped_and_done_when_it_arrives() {
    let file = File::new();
    let summary = file.up(shop()).await.unwrap();
    assert_eq!(count(&summary, Outcome::Skipped), 4);
    assert_eq!(summary.skipped, 4);
    let skipped = file.text("select revision || number || ' ' || evidence as line from _migrate_skipped").await;
    assert_eq!(
        skipped,
        "b21 table coupons is absent\nb23 table coupons is absent\nc31 table coupons is absent\nc32 table legacy is absent"
    );
    assert_eq!(file.status(shop()).await.skipped.len(), 4);

    // nothing has changed: nothing is done, and nothing is written
    let rows = file.text("select count(*) as line from _migrate_operations").await;
    assert!(file.up(shop()).await.unwrap().revisions.is_empty());
    assert_eq!(file.text("select count(*) as line from _migrate_operations").await, rows);

    file.execute("create table coupons (id integer not null, code text, constraint coupons_pkey primary key (id)); insert into coupons values (1, 'A')").await;
    let summary = file.up(shop()).await.unwrap();
    assert_eq!(
        summary.revisions.iter().map(|report| (report.revision.as_str(), report.direction)).collect::<Vec<_>>(),
        [("b2", "replay"), ("c3", "replay")]
    );
    assert_eq!(count(&summary, Outcome::Applied), 3);
    assert_eq!(file.text("select percent as line from coupons").await, "10");
    assert_eq!(file.text("select revision || number as line from _migrate_skipped").await, "c32");
    let check = file.database().check(shop()).await.unwrap();
    assert_eq!(check.drift, Vec::<String>::new());

    let whole = File::new();
    whole.execute("create table coupons (id integer not null, code text, constraint coupons_pkey primary key (id))").await;
    whole.up(shop()).await.unwrap();
    assert_eq!(file.schema().await, whole.schema().await);
}

#[tokio::test]
async fn down_leaves_alone_what_was_skipped() {
    let file = File::new();
    file.up(shop()).await.unwrap();
    file.down(shop(), 2).await.unwrap();
    assert_eq!(file.schema().await.lines().count(), 1);
    file.execute("create table coupons (id integer not null, code text, constraint coupons_pkey primary key (id))").await;
    file.up(shop()).await.unwrap();
    file.down(shop(), 2).await.unwrap();
    let columns = file.text("select name as line from pragma_table_info('coupons')").await;
    assert_eq!(columns, "id\ncode");
}

#[tokio::test]
async fn a_table_that_is_not_optional_is_missed() {
    let file = File::new();
    file.database().up(shop(), Some("a1")).await.unwrap();
    file.execute("drop table orders").await;
    let error = file.up(shop()).await.unwrap_err();
    assert_eq!(error.exit_code(), 4);
    assert!(error.to_string().contains("table orders is not in the database"), "{error}");
    assert_eq!(file.status(shop()).await.pending(), 2);
}
