//! History that grows in another order, is laid out anew, or goes back.

use crate::{journal, up};
use migrate_runtime::{Database as Migrator, DownTo};
use migrate_tests::chain::chain;
use migrate_tests::{Database, server};

const BASE: &str = "=== aaa111 m1\ncreate table items (id int primary key, name text);\n";

#[tokio::test]
async fn a_branch_that_is_merged_late_is_applied_late() {
    let database = Database::create(server()).await;
    let left = "=== bbb222 left after aaa111\nalter table items add column left_note text;\n";
    let right = "=== ccc333 right after aaa111\nalter table items add column right_note text;\n";
    up(&database, &format!("{BASE}{left}")).await.unwrap();
    let merged = format!(
        "{BASE}{right}{left}=== ddd444 merge after bbb222 ccc333\ncreate index items_notes_idx on items (left_note, right_note);\n"
    );
    let summary = up(&database, &merged).await.unwrap();
    let done: Vec<&str> = summary.revisions.iter().map(|report| report.name.as_str()).collect();
    assert_eq!(done, ["right", "merge"]);
    assert_eq!(summary.current.len(), 1);
    assert_eq!(summary.current[0].revision, "ddd444");
}

#[tokio::test]
async fn layout_comments_and_line_endings_are_not_what_is_compared() {
    let database = Database::create(server()).await;
    up(&database, BASE).await.unwrap();
    let other = "=== aaa111 m1\n\nCREATE TABLE items (\r\n    id   integer PRIMARY KEY, -- the key\r\n\r\n    name text\r\n);\r\n";
    assert!(up(&database, other).await.unwrap().revisions.is_empty());
    let changed = BASE.replace("name text", "name varchar(50)");
    let error = up(&database, &changed).await.unwrap_err();
    assert_eq!((error.kind(), error.exit_code()), ("history", 5), "{error}");
}

#[tokio::test]
async fn down_leaves_what_up_found_and_what_it_skipped() {
    let database = Database::create(server()).await;
    database.execute("create table items (id int primary key); create table found (id int primary key)").await.unwrap();
    let text = "=== aaa111 m1\n--- optional\ncreate table events (id int primary key);\n--- up\ncreate table made (id int primary key);\n\
                === bbb222 m2 after aaa111\ncreate table found (id int primary key);\ncreate table new (id int primary key);\n\
                alter table events add column name text;\n";
    up(&database, text).await.unwrap();
    assert_eq!(journal(&database).await, "aaa111 2 applied, bbb222 1 satisfied, bbb222 2 applied, bbb222 3 skipped");
    // it comes by itself, and has the column already: nobody here has made it
    database.execute("create table events (id int primary key, name text)").await.unwrap();
    Migrator::new(database.url()).unwrap().down(chain(text), &DownTo::Steps(1)).await.unwrap();
    let left = "select string_agg(attrelid::regclass || '.' || attname, ' ' order by attrelid::regclass::text, attnum) from pg_attribute \
                where attnum > 0 and attrelid in (select oid from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace)";
    assert_eq!(database.text(left).await.unwrap(), "events.id events.name found.id items.id made.id");
}
