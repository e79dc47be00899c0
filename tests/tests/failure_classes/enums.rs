//! A new value of an enum can't be used in the transaction that adds it.

use crate::up;
use migrate_tests::chain::chain;
use migrate_tests::{Database, servers};

const BASE: &str = "=== aaa111 m1\ncreate type status as enum ('draft');\ncreate table items (id int primary key, status status);\n";

#[tokio::test]
async fn a_new_value_is_committed_before_it_is_used() {
    for server in servers() {
        let database = Database::create(server).await;
        let text = format!(
            "{BASE}=== bbb222 m2 after aaa111\nalter type status add value 'done';\ninsert into items values (1, 'done');\n\
             alter table items alter column status set default 'done';\n"
        );
        up(&database, &text).await.unwrap();
        assert_eq!(database.text("select status::text from items").await.unwrap(), "done");
        assert!(!database.log_contains_sqlstate("55P04").await);
    }
}

#[tokio::test]
async fn a_value_of_a_type_of_the_same_migration_is_committed_too() {
    for server in servers() {
        let database = Database::create(server).await;
        let text = "=== aaa111 m1\ncreate type status as enum ('draft');\nalter type status add value 'done';\n\
                    create table items (id int primary key, status status default 'done');\ninsert into items values (1);\n";
        up(&database, text).await.unwrap();
        assert_eq!(database.text("select status::text from items").await.unwrap(), "done");
        assert!(!database.log_contains_sqlstate("55P04").await);
    }
}

#[tokio::test]
async fn a_renamed_value_is_still_new() {
    for server in servers() {
        let database = Database::create(server).await;
        let text = format!(
            "{BASE}=== bbb222 m2 after aaa111\nalter type status add value 'doen';\nalter type status rename value 'doen' to 'done';\n\
             insert into items values (1, 'done');\n"
        );
        up(&database, &text).await.unwrap();
        assert_eq!(database.text("select status::text from items").await.unwrap(), "done");
    }
}

#[tokio::test]
async fn a_use_that_no_text_shows_fails_whole_and_says_what_to_do() {
    for server in servers() {
        let database = Database::create(server).await;
        database.execute("create function last_status() returns text language sql as $$ select 'do' || 'ne' $$").await.unwrap();
        let hidden = "alter type status add value 'done';\ninsert into items select 1, last_status()::status;\n";
        let error = up(&database, &format!("{BASE}=== bbb222 m2 after aaa111\n{hidden}")).await.unwrap_err();
        assert_eq!(error.sqlstate().as_deref(), Some("55P04"), "{error}");
        assert!(error.help().unwrap().contains("a migration of its own"), "{error}");
        let values = "select string_agg(enumlabel, ' ') from pg_enum";
        assert_eq!(database.text(values).await.unwrap(), "draft");
    }
}

#[tokio::test]
async fn a_crash_between_the_value_and_its_use_is_gone_on_from() {
    for server in servers() {
        let database = Database::create(server).await;
        database.execute("create table gate (opened bool); insert into gate values (false)").await.unwrap();
        let text = format!(
            "{BASE}--- external\ncreate table gate (opened bool);\n=== bbb222 m2 after aaa111\nalter type status add value 'done';\n\
             insert into items values (1, 'done');\nselect pg_sleep(60) from gate where not opened;\n"
        );
        let migrator = migrate_runtime::Database::new(database.url()).unwrap();
        let (result, ()) = tokio::join!(migrator.up(chain(&text), None), async {
            let end = "(select count(pg_terminate_backend(pid)) > 0 from pg_stat_activity \
                       where datname = current_database() and wait_event = 'PgSleep')";
            crate::until(&database, end).await;
        });
        assert!(result.unwrap_err().now().unwrap().starts_with("1 of its operations"));
        assert_eq!(database.text("select string_agg(enumlabel, ' ') from pg_enum").await.unwrap(), "draft done");
        database.execute("update gate set opened = true").await.unwrap();
        up(&database, &text).await.unwrap();
        assert_eq!(database.text("select status::text from items").await.unwrap(), "done");
        let applied =
            "select string_agg(number::text, ' ' order by id) from _migrate.operations where revision = 'bbb222' and outcome = 'applied'";
        assert_eq!(database.text(applied).await.unwrap(), "1 2 3");
    }
}
