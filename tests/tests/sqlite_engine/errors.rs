//! Files that can't be opened, written or read.

use super::chain::{Draft, chain};
use super::database::File;
use migrate_runtime::{Database, Error, Migrations};

fn one() -> Migrations {
    chain(vec![Draft::new("a1", &[]).up("create table t (id bigint)")])
}

async fn up(url: &str) -> Error {
    Database::new(url).unwrap().up(one(), None).await.unwrap_err()
}

#[tokio::test]
async fn a_missing_folder_is_named() {
    let file = File::new();
    let error = up(&format!("sqlite://{}/data/app.db", file.folder().display())).await;
    assert_eq!(error.kind(), "connect");
    let text = error.to_string();
    assert!(text.contains("/data doesn't exist") && text.contains("mkdir -p"), "{text}");
    assert!(!file.folder().join("data").exists());
}

#[tokio::test]
async fn a_folder_is_no_database() {
    let file = File::new();
    let error = up(&format!("sqlite://{}", file.folder().display())).await;
    assert!(error.to_string().contains("that is a folder"), "{error}");
}

#[tokio::test]
async fn another_kind_of_file_is_refused_and_left_alone() {
    let file = File::new();
    let text = "this is a letter, and longer than the header of a database would be, which has a hundred bytes. ".repeat(20);
    std::fs::write(file.path(), &text).unwrap();
    let error = up(&file.url()).await;
    assert!(error.to_string().contains("SQLITE_NOTADB (26)"), "{error}");
    assert!(error.help().unwrap().contains("correct the path"), "{error}");
    assert_eq!(std::fs::read_to_string(file.path()).unwrap(), text);
}

#[tokio::test]
async fn a_file_that_may_not_be_written_is_said_to_be_one() {
    let file = File::new();
    file.execute("create table other (id integer)").await;
    let error = up(&format!("{}?mode=ro", file.url())).await;
    assert!(error.to_string().contains("SQLITE_READONLY"), "{error}");
    assert!(error.help().unwrap().contains("writable"), "{error}");
}

#[tokio::test]
async fn a_newer_journal_is_refused_before_anything_is_written() {
    let file = File::new();
    file.execute("create table _migrate_format (version integer not null); insert into _migrate_format values (99)").await;
    let before = std::fs::read(file.path()).unwrap();
    let error = up(&file.url()).await;
    assert_eq!(error.exit_code(), 5);
    assert!(error.to_string().contains("format 99"), "{error}");
    assert_eq!(std::fs::read(file.path()).unwrap(), before);
    assert!(file.database().stamp(one(), "a1").await.is_err());
    assert_eq!(std::fs::read(file.path()).unwrap(), before);
}

#[tokio::test]
async fn a_history_that_this_binary_does_not_know_is_refused() {
    let file = File::new();
    file.up(one()).await.unwrap();
    let other = chain(vec![Draft::new("zz", &[]).up("create table u (id bigint)")]);
    assert_eq!(file.up(other).await.unwrap_err().exit_code(), 5);
    let changed = chain(vec![Draft::new("a1", &[]).up("create table t (id bigint, more text)")]);
    let error = file.up(changed).await.unwrap_err();
    assert!(error.to_string().contains("was changed after it was applied"), "{error}");
}

#[tokio::test]
async fn a_url_that_says_nothing_is_refused() {
    let error = Database::new("sqlite://app.db?mode=never").unwrap_err();
    assert_eq!(error.exit_code(), 2);
    assert!(error.to_string().contains("mode"), "{error}");
}
