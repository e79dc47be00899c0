//! A process that dies in the middle of a migration.

use super::chain::{Draft, chain};
use super::database::{File, impatient};
use migrate_runtime::{Event, Migrations, Options, StepFuture, Tx};
use sqlx::{ConnectOptions as _, Connection as _};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

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

/// In a child process: when it is to die.
const MOMENT: &str = "SQLITE_ENGINE_CRASH_MOMENT";
const AUTHORS: i64 = 3000;

/// Nothing of a process that is killed gets a chance to put anything in order.
fn kill_myself() {
    let _ = Command::new("kill").args(["-9", &std::process::id().to_string()]).status();
    std::thread::sleep(std::time::Duration::from_mins(1));
}

/// A database whose order of texts counts how often it is asked, and ends the process at a certain time: so the end comes
/// inside of a statement, while SQLite copies rows or makes an index. `None`: it never ends.
pub fn fragile(url: &str, comparisons: Option<usize>, observer: Option<migrate_runtime::Observer>) -> migrate_runtime::Database {
    let left = AtomicUsize::new(comparisons.unwrap_or(usize::MAX));
    let order = move |left_text: &str, right_text: &str| {
        if left.fetch_sub(1, Ordering::SeqCst) == 1 {
            kill_myself();
        }
        left_text.cmp(right_text)
    };
    let options: sqlx::sqlite::SqliteConnectOptions = url.parse().unwrap();
    let pool = sqlx::SqlitePool::connect_lazy_with(options.create_if_missing(true).collation("fragile", order));
    migrate_runtime::Database::new(&pool).unwrap().with_options(Options { observer, ..impatient() })
}

fn survivors() -> Migrations {
    fn count<'a>(tx: &'a mut Tx<'_>) -> StepFuture<'a> {
        Box::pin(async move {
            if std::env::var(MOMENT).is_ok_and(|moment| moment == "after the rebuild") {
                kill_myself();
            }
            tx.execute("insert into log values ('b2')").await.map(drop)
        })
    }
    chain(vec![
        Draft::new("a1", &[])
            .up("create table authors (id bigint generated by default as identity primary key, name text, born integer)")
            .up("create table books (id bigint primary key, author_id bigint not null references authors (id) on delete cascade)")
            .up("create table log (line text)"),
        Draft::new("b2", &["a1"])
            .up("insert into log values ('begun')")
            .up("alter table authors alter column born type text")
            .run("count", count)
            .up("alter table books add column note text not null default 'none'")
            .up("alter table authors rename to writers"),
        Draft::new("c3", &["b2"]).up("alter table writers alter column born set not null"),
    ])
}

/// Not a test of its own: what a child process runs.
#[tokio::test]
async fn fragile_child() {
    let (Ok(url), Ok(moment)) = (std::env::var(URL), std::env::var(MOMENT)) else { return };
    let at = moment.clone();
    let observer: migrate_runtime::Observer = Arc::new(move |event: &Event| match (event, at.as_str()) {
        (Event::Revision { revision, .. }, "before the migration") if revision == "b2" => kill_myself(),
        (Event::Operation(report), "at the report") if report.number == 2 => kill_myself(),
        (Event::Done(report), "after the migration") if report.revision == "b2" => kill_myself(),
        _ => {}
    });
    fragile(&url, moment.parse().ok(), Some(observer)).up(survivors(), None).await.unwrap();
}

fn spawn_fragile(file: &File, moment: &str) -> std::process::Child {
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", "crash::fragile_child"]).env(URL, file.url()).env(MOMENT, moment);
    child.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

/// A connection that knows the order.
pub async fn connect(file: &File) -> sqlx::SqliteConnection {
    let options: sqlx::sqlite::SqliteConnectOptions = file.url().parse().unwrap();
    options.collation("fragile", str::cmp).connect().await.unwrap()
}

/// A file with many rows, and with what others have put on the table that is built anew.
async fn filled(mode: &str) -> File {
    let file = File::new();
    file.execute(&format!("pragma journal_mode = {mode}")).await;
    fragile(&file.url(), None, None).up(survivors(), Some("a1")).await.unwrap();
    let mut connection = connect(&file).await;
    let sql = format!(
        "create index authors_name on authors (name collate fragile);
         create trigger noted after insert on authors begin insert into log values (new.name); end;
         with recursive n (i) as (select 1 union all select i + 1 from n where i < {AUTHORS})
            insert into authors (name, born) select hex(randomblob(200)), i from n;
         insert into books select id * 10, id from authors; delete from log"
    );
    sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    file
}

/// What was killed at `moment` is brought to its end: every row, every object, and each step done once.
async fn assert_survives(file: &File, what: &str) {
    let mut connection = connect(file).await;
    let sound: String = sqlx::query_scalar("pragma integrity_check").fetch_one(&mut connection).await.unwrap();
    assert_eq!(sound, "ok", "{what}");
    connection.close().await.unwrap();
    fragile(&file.url(), None, None).up(survivors(), None).await.unwrap_or_else(|error| panic!("{what}: {error}"));
    let count = async |sql: &str| file.text(&format!("select count(*) as line from {sql}")).await;
    assert_eq!(count("writers where typeof(born) = 'text' and length(name) = 400 and born = id").await, AUTHORS.to_string(), "{what}");
    assert_eq!(count("books where note = 'none' and author_id * 10 = id").await, AUTHORS.to_string(), "{what}");
    assert_eq!(file.text("select line from log").await, "begun\nb2", "{what}");
    assert_eq!(count("pragma_foreign_key_check").await, "0", "{what}");
    assert_eq!(count("sqlite_schema where name like '\\_\\_migrate%' escape '\\'").await, "0", "{what}");
    assert_eq!(
        file.text("select name as line from sqlite_schema where name in ('authors_name', 'noted') order by 1").await,
        "authors_name\nnoted"
    );
    let tables = "select sql as line from sqlite_schema where type = 'table' and name in ('writers', 'books') order by name";
    let fresh = File::new();
    fresh.up(survivors()).await.unwrap();
    assert_eq!(file.text(tables).await, fresh.text(tables).await, "{what}");
    let twice = "(select 1 from _migrate_operations where outcome = 'applied' group by revision, number having count(*) > 1)";
    assert_eq!(count(twice).await, "0", "{what}");
    assert_eq!(count("_migrate_operations where outcome not in ('applied')").await, "0", "{what}");
    assert_eq!(file.database().check(survivors()).await.unwrap().drift, Vec::<String>::new(), "{what}");
}

#[tokio::test]
async fn a_kill_before_inside_and_after_a_rebuild_loses_nothing() {
    for mode in ["delete", "wal"] {
        // comparisons of the index on names: at its beginning, in its middle, and in the rebuild of the next migration
        for moment in ["before the migration", "10", "9000", "25000", "after the rebuild", "at the report", "after the migration", "45000"]
        {
            let what = format!("{mode}, {moment}");
            let file = filled(mode).await;
            let status = spawn_fragile(&file, moment).wait().unwrap();
            assert_eq!(std::os::unix::process::ExitStatusExt::signal(&status), Some(9), "{what}");
            assert_survives(&file, &what).await;
        }
    }
}

#[tokio::test]
async fn a_kill_at_any_time_loses_nothing() {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let seed = u64::from(now.subsec_millis());
    for mode in ["delete", "wal"] {
        let (mut killed, mut wait) = (0, seed % 7);
        while killed < 6 {
            let file = filled(mode).await;
            let mut child = spawn_fragile(&file, "never");
            // the child needs some time to start; what it does then takes some more
            std::thread::sleep(std::time::Duration::from_millis(10 + wait));
            let _ = child.kill();
            let died = !child.wait().unwrap().success();
            assert_survives(&file, &format!("{mode}, seed {seed}, after {wait} ms")).await;
            killed += usize::from(died);
            wait = if died { wait + 17 } else { seed % 11 };
        }
    }
}
