use migrate_tests::{Database, server};
use sqlx::{Connection, Executor};

#[tokio::test]
async fn each_test_has_an_empty_database_of_its_own() {
    let (one, two) = (Database::create(server()).await, Database::create(server()).await);
    one.execute("create table only_here (id integer)").await.unwrap();
    let count = "select count(*)::text from pg_class where relname = 'only_here'";
    assert_eq!(one.text(count).await.unwrap(), "1");
    assert_eq!(two.text(count).await.unwrap(), "0");
}

#[tokio::test]
async fn a_dropped_database_is_gone_whoever_is_connected() {
    let database = Database::create(server()).await;
    let name = database.name().to_owned();
    let mut connection = database.connect().await;
    drop(database);

    let error = connection.ping().await.unwrap_err();
    assert!(matches!(error, sqlx::Error::Database(_) | sqlx::Error::Io(_)), "{error:?}");
    let observer = Database::create(server()).await;
    let count = format!("select count(*)::text from pg_database where datname = '{name}'");
    assert_eq!(observer.text(&count).await.unwrap(), "0");
}

#[tokio::test]
async fn the_log_of_a_clean_database_has_no_errors() {
    let database = Database::create(server()).await;
    database.execute("create table a (id integer); drop table a").await.unwrap();
    assert_eq!(database.logged_errors().await, []);
    assert!(!database.log_contains_sqlstate("25P02").await);
}

#[tokio::test]
async fn an_aborted_transaction_is_found_in_the_log() {
    let (poisoned, other) = (Database::create(server()).await, Database::create(server()).await);
    let mut connection = poisoned.connect().await;
    connection.execute("begin").await.unwrap();
    connection.execute("alter table nowhere add column a integer").await.unwrap_err();
    connection.execute("select 1").await.unwrap_err();

    let found: Vec<String> = poisoned.logged_errors().await.into_iter().map(|error| error.sqlstate).collect();
    assert_eq!(found, ["42P01", "25P02"]);
    assert!(poisoned.log_contains_sqlstate("25P02").await);
    assert!(!other.log_contains_sqlstate("25P02").await);
}

#[tokio::test]
async fn the_log_begins_with_the_database() {
    let first = Database::create(server()).await;
    first.execute("select 1 / 0").await.unwrap_err();
    assert!(first.log_contains_sqlstate("22012").await);
    let second = Database::create(server()).await;
    assert!(!second.log_contains_sqlstate("22012").await);
}

#[tokio::test]
async fn a_url_can_name_another_role() {
    let database = Database::create(server()).await;
    let url = database.url_as("reader");
    assert!(url.starts_with("postgres://reader"), "{url}");
    assert!(url.ends_with(database.name()), "{url}");
}
