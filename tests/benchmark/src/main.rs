//! Measures what the project promises: how long `up` takes, with all guards and the journal on, as a ratio to the floor
//! (the same statements and commits as one simple query) and to `psql -1`, in alternation on the same server.
//!
//! `benchmark [ROUNDS] [WORKLOAD…]`, of `wide`, `long`, `guarded`, `nothing`, `memory`; all of them without one.
#![expect(clippy::print_stdout, reason = "a report is what it is for")]
#![expect(clippy::unwrap_used, reason = "a benchmark that can't go on has nothing to report")]

use benchmark::chain_file;
use benchmark::workloads::{Workload, guarded, long, steady, wide};
use migrate_tests::proxy::Proxy;
use migrate_tests::{Database, Server};
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use wait4::Wait4 as _;

const ROUNDS: usize = 7;
const ONE_WAY: Duration = Duration::from_micros(2_500);

/// What one run has used.
#[derive(Clone, Copy, Debug)]
struct Run {
    /// Wall-clock time, in seconds.
    seconds: f64,
    /// Processor time of the client, in seconds.
    processor: f64,
    /// The most memory that it had, in megabytes.
    megabytes: f64,
}

fn run(command: &mut Command) -> Run {
    let began = Instant::now();
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut said = String::new();
    child.stdout.take().unwrap().read_to_string(&mut said).unwrap();
    let used = child.wait4().unwrap();
    let seconds = began.elapsed().as_secs_f64();
    assert!(used.status.success(), "{command:?} failed");
    let processor = (used.rusage.utime + used.rusage.stime).as_secs_f64();
    let kilobytes: f64 = said.split_whitespace().next().and_then(|number| number.parse().ok()).unwrap_or_default();
    Run { seconds, processor, megabytes: kilobytes / 1024.0 }
}

/// The files of a workload, in a folder that goes with it.
struct Files {
    folder: PathBuf,
}

impl Files {
    fn new(name: &str, workload: &Workload) -> Self {
        let folder = std::env::temp_dir().join(format!("migrate-benchmark-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("chain.json"), chain_file::write(workload)).unwrap();
        std::fs::write(folder.join("floor.sql"), workload.floor()).unwrap();
        std::fs::write(folder.join("psql.sql"), format!("{};\n", workload.applicable.concat().join(";\n"))).unwrap();
        Self { folder }
    }

    fn program(&self, program: &str, file: &str, url: &str) -> Run {
        let program = std::env::current_exe().unwrap().with_file_name(program);
        run(Command::new(program).arg(self.folder.join(file)).env("DATABASE_URL", url))
    }

    fn migrate(&self, url: &str) -> Run {
        self.program("apply", "chain.json", url)
    }

    fn floor(&self, url: &str) -> Run {
        self.program("floor", "floor.sql", url)
    }

    fn psql(&self, url: &str) -> Run {
        run(Command::new("psql")
            .args(["-X", "-q", "-1", "-v", "ON_ERROR_STOP=1", "-f"])
            .arg(Path::new(&self.folder).join("psql.sql"))
            .arg(url))
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn spread(mut values: Vec<f64>) -> String {
    values.sort_by(f64::total_cmp);
    format!("{:8.3} ({:.3} to {:.3})", values[values.len() / 2], values[0], values[values.len() - 1])
}

fn without_tls(url: &str) -> String {
    format!("{url}{}sslmode=disable", if url.contains('?') { "&" } else { "?" })
}

async fn prepared(server: &Server, workload: &Workload) -> Database {
    let database = Database::create(server).await;
    database.execute(&workload.setup).await.unwrap();
    database
}

/// Stops where the three have not come to the same.
async fn assert_same(name: &str, databases: &[Database; 3]) {
    let counts = "select format('%s relations, %s constraints, %s columns', \
                  (select count(*) from pg_class where relnamespace = 'public'::regnamespace), \
                  (select count(*) from pg_constraint where connamespace = 'public'::regnamespace), \
                  (select count(*) from pg_attribute join pg_class on pg_class.oid = attrelid \
                   where relnamespace = 'public'::regnamespace and attnum > 0 and not attisdropped))";
    let mut left = Vec::new();
    for database in databases {
        left.push(database.text(counts).await.unwrap());
    }
    assert!(left.iter().all(|counts| *counts == left[0]), "{name}: migrate, the floor and psql have left {left:?}");
}

/// The three of them in alternation, forth and back. With a distance, its round trips are counted.
async fn compare(server: &Server, name: &str, workload: &Workload, rounds: usize, one_way: Option<Duration>) {
    let files = Files::new(name, workload);
    let proxy = one_way.map(|one_way| Proxy::start(server, one_way).unwrap());
    let at =
        |database: &Database| without_tls(&proxy.as_ref().map_or_else(|| database.url().to_owned(), |proxy| proxy.url(database.url())));
    let (mut ours, mut floors, mut psqls, mut trips) = (Vec::new(), Vec::new(), Vec::new(), 0);
    // the first round warms the machine up
    for round in 0..=rounds {
        let databases = [prepared(server, workload).await, prepared(server, workload).await, prepared(server, workload).await];
        // whoever makes files right after many were deleted waits for the file system
        let turns = if round % 2 == 0 { [0, 1, 2] } else { [2, 1, 0] };
        for turn in turns {
            let url = at(&databases[turn]);
            match turn {
                0 => {
                    if let Some(proxy) = &proxy {
                        proxy.reset_counters();
                    }
                    ours.push(files.migrate(&url));
                    trips = proxy.as_ref().map_or(0, |proxy| proxy.counters().round_trips);
                }
                1 => floors.push(files.floor(&url)),
                _ => psqls.push(files.psql(&url)),
            }
        }
        if round == 0 {
            assert_same(name, &databases).await;
        }
    }
    let seconds = |runs: &[Run]| spread(runs[1..].iter().map(|run| run.seconds).collect());
    let ratios = |others: &[Run]| spread(ours[1..].iter().zip(&others[1..]).map(|(us, them)| us.seconds / them.seconds).collect());
    let distance = if one_way.is_some() { ", 5 ms round trip" } else { "" };
    println!(
        "{name}: {} migrations, {} operations{distance}, {rounds} rounds in alternation",
        workload.migrations.len(),
        workload.operations()
    );
    println!("  migrate     s {}", seconds(&ours));
    println!("    processor s {}", spread(ours[1..].iter().map(|run| run.processor).collect()));
    println!("  floor       s {}", seconds(&floors));
    println!("  psql -1     s {}", seconds(&psqls));
    println!("  ratio to the floor {}", ratios(&floors));
    println!("  ratio to psql -1   {}", ratios(&psqls));
    if proxy.is_some() {
        println!("  round trips {trips}");
    }
}

/// `up` where all is applied.
async fn nothing_to_do(server: &Server, migrations: usize, rounds: usize) {
    let workload = long(migrations);
    let files = Files::new("nothing", &workload);
    let database = prepared(server, &workload).await;
    files.migrate(&without_tls(database.url()));
    let runs: Vec<Run> = (0..rounds).map(|_| files.migrate(&without_tls(database.url()))).collect();
    let proxy = Proxy::start(server, Duration::ZERO).unwrap();
    files.migrate(&without_tls(&proxy.url(database.url())));
    println!("nothing to do, {migrations} revisions applied, {rounds} rounds");
    println!("  migrate     s {}", spread(runs.iter().map(|run| run.seconds).collect()));
    println!("    processor s {}", spread(runs.iter().map(|run| run.processor).collect()));
    println!("  round trips {}, those of connecting among them", proxy.counters().round_trips);
}

/// How much memory it takes to apply chains of different lengths.
async fn memory(server: &Server) {
    println!("memory, with the chain itself");
    let growing = [1, 500, 2_000].map(|count| ("of a schema that grows with them", count, long(count)));
    let steady = [8, 500, 2_000].map(|count| ("of a schema that stays as it is", count, steady(count)));
    for (schema, migrations, workload) in growing.into_iter().chain(steady) {
        let files = Files::new("memory", &workload);
        let database = prepared(server, &workload).await;
        let applied = files.migrate(&without_tls(database.url()));
        let idle = files.migrate(&without_tls(database.url()));
        println!(
            "  {migrations:5} migrations {schema}: {:.1} MB to apply them, {:.1} MB with nothing to do",
            applied.megabytes, idle.megabytes
        );
    }
}

#[tokio::main]
async fn main() {
    let mut arguments = std::env::args().skip(1).peekable();
    let rounds = arguments.peek().and_then(|text| text.parse().ok());
    let (rounds, wanted) = match rounds {
        Some(rounds) => (rounds, arguments.skip(1).collect::<Vec<_>>()),
        None => (ROUNDS, arguments.collect()),
    };
    let is_wanted = |name: &str| wanted.is_empty() || wanted.iter().any(|other| other == name);
    let server = Server::start_durable().unwrap();
    for (name, workload) in [("wide", wide()), ("long", long(500)), ("guarded", guarded())] {
        if is_wanted(name) {
            compare(&server, name, &workload, rounds, None).await;
            compare(&server, name, &workload, rounds.div_ceil(2), Some(ONE_WAY)).await;
        }
    }
    if is_wanted("nothing") {
        nothing_to_do(&server, 500, rounds).await;
        nothing_to_do(&server, 10_000, rounds).await;
    }
    if is_wanted("memory") {
        memory(&server).await;
    }
}
