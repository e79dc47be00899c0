//! A process that dies in the middle of a migration.

use super::chain::{Draft, chain};
use super::database::File;
use migrate_runtime::{Migrations, StepFuture, Tx};
use std::process::{Command, Stdio};

/// In a child process: the file to migrate.
const URL: &str = "SQLITE_ENGINE_CRASH_URL";

fn die<'a>(tx: &'a mut Tx<'_>) -> StepFuture<'a> {
    Box::pin(async move {
        // enough that SQLite has written some of it to the file by now
        tx.execute("with recursive n (i) as (select 1 union all select i + 1 from n where i < 20000) insert into ballast select randomblob(1000) from n")
            .await?;
        if std::env::var_os(URL).is_some() {
            std::process::abort();
        }
        Ok(())
    })
}

fn deadly() -> Migrations {
    chain(vec![
        Draft::new("a1", &[]).up("create table parents (id bigint primary key, name text)").up("create table ballast (data bytea)"),
        Draft::new("b2", &["a1"])
            .up("create table children (id bigint primary key, parent_id bigint references parents (id) on delete cascade)")
            .up("alter table parents alter column name set not null")
            .run("die", die)
            .up("create index children_parent_idx on children (parent_id)"),
        Draft::new("c3", &["b2"]).up("create table afterwards (id bigint)"),
    ])
}

/// Not a test of its own: what the child process runs.
#[tokio::test]
async fn child() {
    if let Ok(url) = std::env::var(URL) {
        let _ = migrate_runtime::Database::new(url.as_str()).unwrap().up(deadly(), None).await;
        unreachable!("the process was to die");
    }
}

fn run_child(file: &File) {
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", "crash::child"]).env(URL, file.url()).stdout(Stdio::null()).stderr(Stdio::null());
    assert!(!child.status().unwrap().success());
}

#[tokio::test]
async fn after_a_crash_the_next_up_completes() {
    for mode in ["delete", "wal"] {
        let file = File::new();
        file.execute(&format!("pragma journal_mode = {mode}")).await;
        run_child(&file);
        assert_eq!(file.text("select revision as line from _migrate_revisions").await, "a1", "{mode}");
        assert!(!file.schema().await.contains("children"), "{mode}");
        assert_eq!(file.text("select count(*) as line from ballast").await, "0", "{mode}");

        file.up(deadly()).await.unwrap();
        let fresh = File::new();
        fresh.up(deadly()).await.unwrap();
        assert_eq!(file.schema().await, fresh.schema().await, "{mode}");
        assert_eq!(file.text("select integrity_check as line from pragma_integrity_check").await, "ok");
        assert_eq!(file.text("select count(*) as line from _migrate_operations where outcome <> 'applied'").await, "0");
    }
}

/// The future is dropped, as by a time-out of the application's.
#[tokio::test]
async fn an_abandoned_up_leaves_nothing_behind() {
    fn sleep<'a>(tx: &'a mut Tx<'_>) -> StepFuture<'a> {
        Box::pin(async move {
            if tx.execute("update patience set left = left - 1 where left > 0").await? > 0 {
                tokio::time::sleep(std::time::Duration::from_mins(10)).await;
            }
            Ok(())
        })
    }
    let file = File::new();
    let chain =
        chain(vec![Draft::new("a1", &[]).up("create table first (id bigint)").run("sleep", sleep).up("create table second (id bigint)")]);
    file.execute("create table patience (left integer); insert into patience values (1)").await;
    let database = file.database();
    let abandoned = tokio::time::timeout(std::time::Duration::from_millis(500), database.up(chain, None)).await;
    assert!(abandoned.is_err());
    assert!(!file.schema().await.contains("first"));
    file.execute("update patience set left = 0").await;
    file.up(chain).await.unwrap();
    assert!(file.schema().await.contains("second"));
}
