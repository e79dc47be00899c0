//! Servers that can't be written to.

use crate::up;
use migrate_tests::binaries::ServerBinaries;
use migrate_tests::{Database, Server, server};

const TEXT: &str = "=== aaa111 m1\ncreate table items (id int primary key);\n";

#[tokio::test]
async fn a_standby_is_refused_with_the_way_out() {
    let own = Server::start_from(&ServerBinaries::find().unwrap()).unwrap();
    let database = Database::create(&own).await;
    own.crash().unwrap();
    std::fs::write(own.directory().unwrap().join("data/standby.signal"), "").unwrap();
    own.start_again().unwrap();
    let error = up(&database, TEXT).await.unwrap_err();
    assert_eq!(error.sqlstate().as_deref(), Some("25006"), "{error}");
    assert!(error.help().unwrap().contains("connect to the primary"), "{error}");
    assert_eq!(error.now().as_deref(), Some("nothing was changed"));
    assert_eq!(database.text("select pg_promote()::text").await.unwrap(), "true");
    up(&database, TEXT).await.unwrap();
}

#[tokio::test]
async fn a_database_that_is_set_to_read_only_is_refused_and_the_setting_named() {
    let database = Database::create(server()).await;
    database.execute(&format!("alter database {} set default_transaction_read_only = on", database.name())).await.unwrap();
    let error = up(&database, TEXT).await.unwrap_err();
    assert_eq!(error.sqlstate().as_deref(), Some("25006"), "{error}");
    assert!(error.help().unwrap().contains("`default_transaction_read_only`"), "{error}");
    assert_eq!(error.now().as_deref(), Some("nothing was changed"));
}
