//! What an application sees while a migration takes its locks behind a long transaction.
//!
//! `pgbench` reads and writes two tables at a fixed rate. Meanwhile a report reads one of them in a transaction that stays
//! open for some seconds, and each tool adds a column and a foreign key. Latency is measured from when a transaction was due,
//! so that waiting in a queue counts.
#![expect(clippy::print_stderr, reason = "who waits wants to see how far it is")]
#![expect(clippy::unwrap_used, reason = "a measurement that can't go on has nothing to report")]

use comparison::application::until;
use comparison::document::write_latency;
use comparison::migrations::{Chain, sql};
use comparison::run_as_migrate;
use comparison::tools::{Ran, Tool};
use migrate_tests::{Database, Server};
use sqlx::{Connection as _, Executor as _};
use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;
use std::process::{ExitCode, Stdio};
use std::time::Duration;
use tokio::process::Command;

const ROUNDS: usize = 3;
/// Transactions a second of the application, and its connections.
const RATE: u32 = 200;
const CLIENTS: u32 = 8;
/// When the report begins, how long it goes on once the migration waits for it, and how long the application runs.
const WARM_UP: Duration = Duration::from_secs(1);
const REPORT: Duration = Duration::from_secs(4);
const SECONDS: u32 = 11;

const BASE: &str = "create table authors (id int primary key, name text);\n\
                    create table books (id int primary key, author int, sold int not null default 0)";
const ROWS: &str = "insert into authors select i, 'author ' || i from generate_series(1, 1000) as i; \
                    insert into books select i, 1 + i % 1000 from generate_series(1, 20000) as i; vacuum analyze authors; vacuum analyze books";
const SCRIPT: &str = "\\set book random(1, 20000)\n\
                      update books set sold = sold + 1 where id = :book;\n\
                      select name from books join authors on authors.id = books.author where books.id = :book;\n";

/// A round's milliseconds.
#[derive(Clone, Copy, Debug)]
struct Latency {
    worst: f64,
    percentile: f64,
    slow: usize,
}

/// The third column of `pgbench --log` is the latency, in microseconds, from when the transaction was due.
fn read(folder: &PathBuf) -> Latency {
    let mut milliseconds: Vec<f64> = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.to_string_lossy().contains("pgbench_log") {
            let text = fs::read_to_string(path).unwrap();
            milliseconds.extend(text.lines().map(|line| line.split(' ').nth(2).unwrap().parse::<f64>().unwrap() / 1000.0));
        }
    }
    milliseconds.sort_by(f64::total_cmp);
    let percentile = milliseconds[milliseconds.len() * 99 / 100];
    let slow = milliseconds.iter().filter(|value| **value > 1000.0).count();
    Latency { worst: milliseconds[milliseconds.len() - 1], percentile, slow }
}

/// A round: without a tool, only the application and the report.
async fn round(server: &Server, tool: Option<Tool>) -> (Latency, Option<Ran>) {
    let database = Database::create(server).await;
    database.execute(BASE).await.unwrap();
    for statement in ROWS.split("; ") {
        database.execute(statement).await.unwrap();
    }
    let folder = std::env::temp_dir().join(format!("migrate-stall-{}", std::process::id()));
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("script.sql"), SCRIPT).unwrap();
    let mut pgbench = Command::new("pgbench");
    pgbench.args([
        "-n",
        "-f",
        "script.sql",
        "--log",
        "-T",
        &SECONDS.to_string(),
        "-R",
        &RATE.to_string(),
        "-c",
        &CLIENTS.to_string(),
        "-j",
        "2",
    ]);
    pgbench.arg(database.url()).current_dir(&folder).stdout(Stdio::null()).stderr(Stdio::piped());
    let pgbench = pgbench.spawn().unwrap();
    tokio::time::sleep(WARM_UP).await;
    let mut connection = database.connect().await;
    let mut report = connection.begin().await.unwrap();
    report.execute("select count(*) from books").await.unwrap();
    let chain = Chain::on(BASE).with([
        sql("alter table books add column note text"),
        sql("alter table books add constraint books_author_fkey foreign key (author) references authors (id)"),
    ]);
    let project = tool.map(|tool| tool.write(&chain));
    let migration = async {
        match &project {
            Some(project) => Some(project.up(database.url()).await),
            None => None,
        }
    };
    let (ran, ()) = tokio::join!(migration, async {
        // tools take their time until they begin
        if tool.is_some() {
            assert!(until(&database, "exists (select from pg_locks where locktype = 'relation' and not granted)").await);
        }
        tokio::time::sleep(REPORT).await;
        report.rollback().await.unwrap();
    });
    let output = pgbench.wait_with_output().await.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let latency = read(&folder);
    fs::remove_dir_all(&folder).unwrap();
    if let Some(ran) = &ran {
        let added = "select (count(*) = 1)::text from pg_constraint where conname = 'books_author_fkey' and convalidated";
        assert!(ran.ok && database.text(added).await.unwrap() == "true", "{tool:?}: {}", ran.output);
    }
    (latency, ran)
}

fn spread(values: impl Iterator<Item = f64>, digits: usize) -> String {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    let (least, middle, most) = (values[0], values[values.len() / 2], values[values.len() - 1]);
    format!("{middle:.digits$} ({least:.digits$} to {most:.digits$})")
}

#[tokio::main]
async fn measure() {
    let server = Server::start().unwrap();
    let contestants: Vec<Option<Tool>> = std::iter::once(None).chain(Tool::installed().into_iter().map(Some)).collect();
    let mut measured: Vec<Vec<(Latency, f64)>> = vec![Vec::new(); contestants.len()];
    for _ in 0..ROUNDS {
        for (tool, values) in contestants.iter().zip(&mut measured) {
            let (latency, ran) = round(&server, *tool).await;
            eprintln!("{tool:?}: {latency:?}");
            values.push((latency, ran.map_or(0.0, |ran| ran.took.as_secs_f64())));
        }
    }
    let mut text = format!(
        "An application updates and reads two tables, {RATE} transactions a second on {CLIENTS} connections (`pgbench --rate`; latency is from \
         when a transaction was due). A report has read one of them and goes on for {} s, and a migration adds a column and a foreign key. \
         Middle, least and most of {ROUNDS} rounds in alternation of {SECONDS} s each.\n\n\
         | | worst stall, ms | 99th percentile, ms | transactions over 1 s | the migration, s |\n|---|--:|--:|--:|--:|\n",
        REPORT.as_secs()
    );
    for (tool, values) in contestants.iter().zip(measured) {
        let name = tool.map_or_else(|| "no migration".to_owned(), |tool| tool.to_string());
        let worst = spread(values.iter().map(|(latency, _)| latency.worst), 0);
        let percentile = spread(values.iter().map(|(latency, _)| latency.percentile), 0);
        let slow: Vec<String> = values.iter().map(|(latency, _)| latency.slow.to_string()).collect();
        let took = if tool.is_some() { spread(values.iter().map(|(_, took)| *took), 1) } else { String::new() };
        writeln!(text, "| {name} | {worst} | {percentile} | {} | {took} |", slow.join(", ")).unwrap();
    }
    write_latency(&text);
}

fn main() -> ExitCode {
    if let Some(code) = run_as_migrate() {
        return code;
    }
    measure();
    ExitCode::SUCCESS
}
