//! Several migrators at once: every operation is done once, and all of them succeed.

use super::chain::{Draft, chain};
use super::database::{File, impatient};
use migrate_runtime::{Migrations, Options};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// In a child process: the file to migrate.
const URL: &str = "SQLITE_ENGINE_CONCURRENT_URL";

const MIGRATIONS: usize = 12;

fn long_chain() -> Migrations {
    let mut drafts =
        vec![Draft::new("r0", &[]).up("create table log (line text)").optional("create table extra (id bigint primary key, note text)")];
    let mut parent = "r0";
    for number in 1..MIGRATIONS {
        let revision: &'static str = format!("r{number}").leak();
        drafts.push(
            Draft::new(revision, &[parent])
                .up(&format!("create table t{number} (id bigint primary key, note text)"))
                // would show twice if it were done twice
                .up(&format!("insert into log values ('{revision}')"))
                .up(&format!("alter table t{number} alter column note set not null"))
                .up(&format!("alter table extra add column n{number} integer")),
        );
        parent = revision;
    }
    chain(drafts)
}

fn patient() -> Options {
    Options { guard_wait: Duration::from_mins(1), lock_budget: Duration::from_mins(1), ..impatient() }
}

async fn up(url: &str) {
    migrate_runtime::Database::new(url).unwrap().with_options(patient()).up(long_chain(), None).await.unwrap();
}

async fn assert_done_once(file: &File) {
    let lines = file.text("select line from log order by rowid").await;
    let expected: Vec<String> = (1..MIGRATIONS).map(|number| format!("r{number}")).collect();
    assert_eq!(lines, expected.join("\n"));
    let twice = file
        .text("select revision || number as line from _migrate_operations where outcome = 'applied' group by revision, number having count(*) > 1")
        .await;
    assert_eq!(twice, "");
    assert_eq!(file.text("select count(*) as line from _migrate_operations where outcome in ('failed', 'satisfied')").await, "0");
    assert_eq!(file.status(long_chain()).await.pending(), 0);
}

/// Not a test of its own: what a child process runs.
#[tokio::test]
async fn child() {
    if let Ok(url) = std::env::var(URL) {
        up(&url).await;
    }
}

fn spawn(file: &File) -> Child {
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", "concurrency::child"]).env(URL, file.url()).stdout(Stdio::null()).spawn().unwrap()
}

#[tokio::test]
async fn processes_that_start_at_once_do_everything_once() {
    for mode in ["delete", "wal"] {
        let file = File::new();
        file.execute(&format!("pragma journal_mode = {mode}")).await;
        let children: Vec<Child> = (0..4).map(|_| spawn(&file)).collect();
        for child in children {
            assert!(child.wait_with_output().unwrap().status.success(), "{mode}");
        }
        assert_done_once(&file).await;

        // the same for what was skipped and can be done now
        file.execute("create table extra (id integer not null, note text, constraint extra_pkey primary key (id))").await;
        let children: Vec<Child> = (0..4).map(|_| spawn(&file)).collect();
        for child in children {
            assert!(child.wait_with_output().unwrap().status.success(), "{mode}");
        }
        assert_done_once(&file).await;
        assert_eq!(file.text("select count(*) as line from _migrate_skipped").await, "0");
        assert_eq!(file.text("select count(*) as line from pragma_table_info('extra')").await, (MIGRATIONS + 1).to_string());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replicas_of_one_process_do_everything_once() {
    let file = File::new();
    let tasks: Vec<_> = (0..5)
        .map(|_| {
            tokio::spawn({
                let url = file.url();
                async move { up(&url).await }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert_done_once(&file).await;
}
