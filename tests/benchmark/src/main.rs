//! One command that measures what the project promises:
//!
//! - one migration of 500 operations, all guards on, against `psql -1 -f` of the same SQL, in alternation;
//! - the same with 5 ms of delay between client and server, and its round trips;
//! - `up` with nothing to do when 500 revisions are applied, and its round trips.
#![expect(clippy::print_stdout, reason = "a report is what it is for")]
#![expect(clippy::unwrap_used, reason = "a benchmark that can't go on has nothing to report")]

use migrate_tests::{Database, Server};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const ROUNDS: usize = 9;
const ROUNDS_WITH_DELAY: usize = 3;
const ONE_WAY: Duration = Duration::from_micros(2_500);

fn beside(name: &str) -> PathBuf {
    std::env::current_exe().unwrap().with_file_name(name)
}

/// Runs a command to its end and gives the seconds that it took.
fn seconds(command: &mut Command) -> f64 {
    let began = Instant::now();
    let status = command.stdout(Stdio::null()).status().unwrap();
    let seconds = began.elapsed().as_secs_f64();
    assert!(status.success(), "{command:?} failed");
    seconds
}

fn ours(program: &str, url: &str) -> f64 {
    seconds(Command::new(beside(program)).env("DATABASE_URL", url))
}

fn psql(url: &str) -> f64 {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/wide.sql");
    seconds(Command::new("psql").args(["-X", "-q", "-1", "-v", "ON_ERROR_STOP=1", "-f", file, url]))
}

fn spread(mut values: Vec<f64>) -> String {
    values.sort_by(f64::total_cmp);
    let middle = values[values.len() / 2];
    format!("{middle:.3} ({:.3} to {:.3})", values[0], values[values.len() - 1])
}

fn without_tls(url: &str) -> String {
    format!("{url}{}sslmode=disable", if url.contains('?') { "&" } else { "?" })
}

async fn wide(server: &Server) {
    let (mut us, mut them, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..=ROUNDS {
        let (left, right) = (Database::create(server).await, Database::create(server).await);
        let (a, b) = (ours("wide", &without_tls(left.url())), psql(&without_tls(right.url())));
        us.push(a);
        them.push(b);
        ratios.push(a / b);
    }
    // the first round warms the machine up
    for values in [&mut us, &mut them, &mut ratios] {
        values.remove(0);
    }
    println!("500 operations, loopback, {ROUNDS} rounds in alternation");
    println!("  migrate   s  {}", spread(us));
    println!("  psql -1   s  {}", spread(them));
    println!("  ratio        {}", spread(ratios));
}

async fn wide_with_delay(server: &Server) {
    let (mut us, mut them, mut ratios, mut trips) = (Vec::new(), Vec::new(), Vec::new(), 0);
    for _ in 0..ROUNDS_WITH_DELAY {
        let (left, right) = (Database::create(server).await, Database::create(server).await);
        let proxy = migrate_tests::proxy::Proxy::start(server, ONE_WAY).unwrap();
        let a = ours("wide", &without_tls(&proxy.url(left.url())));
        trips = proxy.counters().round_trips;
        let b = psql(&without_tls(&proxy.url(right.url())));
        us.push(a);
        them.push(b);
        ratios.push(a / b);
    }
    println!("500 operations, 5 ms round trip, {ROUNDS_WITH_DELAY} rounds in alternation");
    println!("  migrate   s  {}", spread(us));
    println!("  psql -1   s  {}", spread(them));
    println!("  ratio        {}", spread(ratios));
    println!("  round trips  {trips}");
}

async fn nothing_to_do(server: &Server) {
    let database = Database::create(server).await;
    let applied = ours("long", &without_tls(database.url()));
    let proxy = migrate_tests::proxy::Proxy::start(server, Duration::ZERO).unwrap();
    let idle: Vec<f64> = (0..ROUNDS).map(|_| ours("long", &without_tls(database.url()))).collect();
    ours("long", &without_tls(&proxy.url(database.url())));
    println!("500 migrations of 4 operations");
    println!("  applied   s  {applied:.3}");
    println!("  nothing to do, 500 revisions applied (the process builds its chain first)");
    println!("            s  {}", spread(idle));
    println!("  round trips  {}", proxy.counters().round_trips);
}

#[tokio::main]
async fn main() {
    let server = Server::start().unwrap();
    wide(&server).await;
    wide_with_delay(&server).await;
    nothing_to_do(&server).await;
}
