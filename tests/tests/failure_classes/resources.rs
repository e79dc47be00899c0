//! A server that runs out of something.

use crate::{journal, up};
use migrate_tests::binaries::ServerBinaries;
use migrate_tests::{Database, Server};

const BASE: &str = "=== aaa111 m1\ncreate table items (id int, name text);\n";

fn own_server() -> Server {
    Server::start_from(&ServerBinaries::find().unwrap()).unwrap()
}

#[tokio::test]
async fn a_full_disk_rolls_back_and_the_next_up_goes_through() {
    let own = own_server();
    let database = Database::create(&own).await;
    up(&database, BASE).await.unwrap();
    // every write to this file finds the disk full
    database.execute("checkpoint").await.unwrap();
    let file = database.text("select pg_relation_filepath('items')").await.unwrap();
    let file = own.directory().unwrap().join("data").join(file);
    std::fs::remove_file(&file).unwrap();
    std::os::unix::fs::symlink("/dev/full", &file).unwrap();
    let text = format!("{BASE}=== bbb222 m2 after aaa111\ncreate table made (id int);\ninsert into items values (1, 'a');\n");
    let error = up(&database, &text).await.unwrap_err();
    assert_eq!(error.sqlstate().as_deref(), Some("53100"), "{error}");
    assert!(error.help().unwrap().contains("more disk"), "{error}");
    assert_eq!(database.text("select (to_regclass('made') is null)::text").await.unwrap(), "true");
    assert_eq!(journal(&database).await, "aaa111 1 applied, bbb222 2 failed");
    // its new file is an honest one
    database.execute("truncate items").await.unwrap();
    up(&database, &text).await.unwrap();
    assert_eq!(database.text("select name from items").await.unwrap(), "a");
}

#[tokio::test]
async fn a_server_without_memory_for_locks_rolls_back_and_says_so() {
    let own = own_server();
    let database = Database::create(&own).await;
    let greedy = "=== bbb222 m2 after aaa111\ncreate table made (id int);\n\
                  select count(pg_advisory_xact_lock(i)) from generate_series(1, 1000000) as i (i);\n";
    let text = format!("{BASE}{greedy}");
    let error = up(&database, &text).await.unwrap_err();
    assert_eq!(error.sqlstate().as_deref(), Some("53200"), "{error}");
    assert_eq!(journal(&database).await, "aaa111 1 applied, bbb222 2 failed");
    assert_eq!(database.text("select (to_regclass('made') is null)::text").await.unwrap(), "true");
}
