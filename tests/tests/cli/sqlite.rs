//! The same on SQLite.

use crate::process::{Directory, Migrate, Ran, quickstart};
use rustix::process::{Pid, Signal, kill_process};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Row as _};
use std::path::Path;
use std::time::{Duration, Instant};

const ROWS: &str = "insert into authors (name) values ('Ursula');
    insert into books (author_id, name, pages) values (1, 'The Dispossessed', 341), (1, 'Lavinia', 280);
    insert into members (email, name) values ('a@example.org', 'A');
    insert into loans (book_id, member_id, lent_on) values (1, 1, '2026-01-01'), (2, 1, '2026-01-02');";

async fn open(path: &Path) -> SqliteConnection {
    SqliteConnectOptions::new().filename(path).create_if_missing(true).connect().await.unwrap()
}

async fn execute(path: &Path, sql: &str) -> usize {
    let mut connection = open(path).await;
    let rows = sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).fetch_all(&mut connection).await.unwrap().len();
    connection.close().await.unwrap();
    rows
}

/// The statements that made what is there, without our own tables.
async fn schema(path: &Path) -> Vec<String> {
    let mut connection = open(path).await;
    let sql = "select sql from sqlite_master where sql is not null and name not like 'sqlite%' and tbl_name not like '%\\_migrate%' escape '\\' order by type, name";
    let rows = sqlx::raw_sql(sql).fetch_all(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    rows.iter().map(|row| row.get(0)).collect()
}

async fn rows(path: &Path) -> Vec<i64> {
    let mut connection = open(path).await;
    let mut counts = Vec::new();
    for table in ["authors", "books", "members", "loans"] {
        let sql = format!("select count(*) from {table}");
        let row = sqlx::raw_sql(AssertSqlSafe(sql)).fetch_one(&mut connection).await.unwrap();
        counts.push(row.get(0));
    }
    connection.close().await.unwrap();
    counts
}

fn files(directory: &Directory) -> Vec<String> {
    let entries = std::fs::read_dir(directory.path()).unwrap();
    let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

fn done(directory: &Directory, arguments: &[&str]) -> String {
    let ran = quickstart(directory, arguments, None);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{arguments:?}: {}", ran.stdout);
    ran.stdout
}

#[tokio::test]
async fn the_quickstart_works_with_nothing_set() {
    let directory = Directory::new();
    let database = directory.path().join("quickstart.db");
    assert!(done(&directory, &["up"]).ends_with("\nat e90a16bd74c8 (m0004_titles)\n"));
    let first = schema(&database).await;
    assert!(first.iter().any(|sql| sql.contains("books_title_check")), "{first:?}");
    assert!(done(&directory, &["status"]).ends_with("\nup to date: at e90a16bd74c8 (m0004_titles)\n"));
    assert_eq!(done(&directory, &["up"]), "nothing to do: at e90a16bd74c8 (m0004_titles)\n");
    assert_eq!(done(&directory, &["check"]), "in sync: at e90a16bd74c8 (m0004_titles)\n");
    execute(&database, &ROWS.replace("author_id, name", "author_id, title")).await;
    assert!(done(&directory, &["down", "--steps", "1"]).ends_with("\nat c7d40b83a5f6 (m0003_conditions)\n"));
    done(&directory, &["up"]);
    assert_eq!(schema(&database).await, first);
    assert_eq!(rows(&database).await, [1, 2, 1, 2]);
    done(&directory, &["down", "--base"]);
    assert_eq!(schema(&database).await, Vec::<String>::new());
    done(&directory, &["up"]);
    assert_eq!(schema(&database).await, first);
}

#[test]
fn looking_makes_no_file() {
    let directory = Directory::new();
    for arguments in [&["status"][..], &["plan"], &["plan", "--sql"], &["up", "--dry-run"], &["current"], &["skipped"], &["history"]] {
        done(&directory, arguments);
    }
    let ran = quickstart(&directory, &["check"], None);
    assert_eq!(ran.code, 3, "{ran:?}");
    assert_eq!(files(&directory), Vec::<String>::new());
}

#[tokio::test]
async fn the_planned_sql_keeps_rows_and_references() {
    let directory = Directory::new();
    let (by_up, by_hand) = (directory.path().join("quickstart.db"), directory.path().join("by_hand.db"));
    done(&directory, &["up", "--to", "m0003_conditions"]);
    execute(&by_up, ROWS).await;
    std::fs::copy(&by_up, &by_hand).unwrap();
    let script = done(&directory, &["plan", "--sql"]);
    assert_eq!(execute(&by_hand, &script).await, 0, "no reference is broken");
    done(&directory, &["up"]);
    assert_eq!(schema(&by_hand).await, schema(&by_up).await);
    assert_eq!(rows(&by_hand).await, [1, 2, 1, 2]);
    assert_eq!(rows(&by_up).await, [1, 2, 1, 2]);
}

#[test]
fn a_folder_that_is_not_there_is_named() {
    let directory = Directory::new();
    let ran = quickstart(&directory, &["up"], Some("sqlite://nowhere/app.db"));
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.stderr.contains("nowhere") && ran.stderr.contains("\nhelp: run `mkdir -p nowhere`"), "{}", ran.stderr);
    assert_eq!(files(&directory), Vec::<String>::new());
}

#[test]
fn an_interrupted_up_leaves_what_was_there() {
    let directory = Directory::new();
    let database = directory.path().join("app.db");
    let chain = "=== aaa111 m1\ncreate table first (id bigint primary key);\n\
                 === bbb222 m2 after aaa111\ncreate table second (id bigint primary key);\n\
                 insert into second with recursive n (x) as (select 1 union all select x + 1 from n where x < 2000000000) select x from n;\n";
    let migrate = Migrate::new(chain).at(&format!("sqlite://{}", database.display()));
    let child = migrate.start(&["up"]);
    let began = Instant::now();
    while !migrate.run(&["current"]).stdout.contains("aaa111") {
        assert!(began.elapsed() < Duration::from_secs(20));
        std::thread::sleep(Duration::from_millis(50));
    }
    // the second migration fills its table: more than the cache takes is written
    let written = || std::fs::read_dir(directory.path()).unwrap().map(|entry| entry.unwrap().metadata().unwrap().len()).sum::<u64>();
    while written() < 4_000_000 {
        assert!(began.elapsed() < Duration::from_mins(1));
        std::thread::sleep(Duration::from_millis(20));
    }
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    let ran: Ran = child.wait_with_output().unwrap().into();
    assert_eq!(ran.code, 130, "{ran:?}");
    // the statement still runs in the driver's thread when the message is written: it ends with the process
    assert!(ran.stderr.contains("\nnow: the transaction that was open is rolled back as soon as"), "{}", ran.stderr);
    assert_eq!(migrate.done(&["current"]), "aaa111 m1\n");
    assert_eq!(migrate.run(&["check"]).code, 3);
}
