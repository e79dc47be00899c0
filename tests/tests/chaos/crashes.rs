//! The server is killed, with several migrations at different points of their way.

use crate::fault::Moment;
use crate::prepared::Prepared;
use crate::rounds::{first_seed, rounds_wanted, subjects};
use crate::subject::Subject;
use crate::way::Way;
use fastrand::Rng;
use migrate_tests::Server;
use migrate_tests::binaries::ServerBinaries;
use sqlx::{Connection as _, Executor as _, PgConnection};
use std::time::Duration;
use tokio::task::JoinSet;

/// How many databases one crash meets.
const DATABASES: usize = 6;

/// A cluster that nobody else works on. What it has said to be committed is on the disk.
async fn own_server() -> &'static Server {
    // its watchdog ends it with the process
    let server: &'static Server = Box::leak(Box::new(Server::start_from(&ServerBinaries::find().unwrap()).unwrap()));
    let mut connection = PgConnection::connect(server.url()).await.unwrap();
    connection.execute("alter role postgres set synchronous_commit = on").await.unwrap();
    connection.close().await.unwrap();
    server
}

/// What came of crashes.
#[derive(Debug, Default)]
struct Crashed {
    /// How many migrators were on their way.
    began: usize,
    /// How many of them hadn't come to its end.
    hits: usize,
    /// How many have left something to be done.
    left: usize,
    /// What is wrong once it is done.
    problems: Vec<String>,
}

/// Lets all of them go their ways, and stops the server when the moment of the first has come.
async fn crash(server: &'static Server, subjects: Vec<&'static Subject>, mut rng: Rng, crashed: &mut Crashed) -> Result<(), String> {
    let mut preparing = JoinSet::new();
    for subject in subjects {
        preparing.spawn(async move { (subject, Box::pin(Prepared::new(subject, server)).await) });
    }
    let mut prepared = Vec::new();
    for (subject, ready) in preparing.join_all().await {
        prepared.push(ready.map_err(|error| format!("{} without a fault: {error}", subject.name))?);
    }
    prepared.sort_by(|one, other| one.subject.name.cmp(&other.subject.name));
    let moment = Moment::choose(&mut rng, &prepared[0].course);
    let databases: Vec<_> = prepared.iter_mut().map(Prepared::last_database).collect();
    // a sequence that was copied goes back to where it was then, if the server is killed before the next checkpoint
    let mut connection = PgConnection::connect(server.url()).await.unwrap();
    connection.execute("checkpoint").await.unwrap();
    connection.close().await.unwrap();
    let proxies: Vec<_> = prepared.iter().map(Prepared::proxy).collect();
    let mut migrators = JoinSet::new();
    for ((prepared, database), proxy) in prepared.iter().zip(&databases).zip(&proxies) {
        let (url, way, chain) = (proxy.url(database.url()), prepared.subject.way, prepared.subject.chain);
        // whether it fails is its own affair
        migrators.spawn(async move { drop(way.go(&url, chain).await) });
    }
    while !moment.has_come(&proxies[0]) && migrators.len() == prepared.len() {
        while migrators.try_join_next().is_some() {}
        tokio::time::sleep(Duration::from_micros(300)).await;
    }
    crashed.began += prepared.len();
    crashed.hits += migrators.len();
    tokio::task::spawn_blocking(move || server.crash().and_then(|()| server.start_again())).await.unwrap().unwrap();
    migrators.join_all().await;
    let first = prepared[0].subject.name.clone();
    for (prepared, database) in prepared.iter().zip(&databases) {
        let (left, wrong) = prepared.heal(database).await;
        crashed.left += usize::from(left);
        if !wrong.is_empty() {
            let Subject { name, way, .. } = &prepared.subject;
            let what = format!("--- {} of {name} after a crash of the server at {moment:?} of {first}", way.name());
            crashed.problems.push(format!("{what}\n{}", wrong.join("\n")));
        }
    }
    Ok(())
}

/// PostgreSQL empties unlogged tables after a crash, and keeps the entries of temporary ones for whoever needs their schema next.
fn loses_rows(subject: &Subject) -> bool {
    let tables = [&subject.before, &subject.after].into_iter().flat_map(|schema| schema.tables.values());
    tables.into_iter().any(|table| table.unlogged || table.name.is_temporary())
}

/// Kills a server so often while cases go these ways. At least one in three migrators has to be hit: otherwise nothing is proven.
#[expect(clippy::print_stderr, reason = "who runs it for hours wants to see how much it was")]
async fn crashes(test: &str, ways: &[Way], times: usize) {
    let (server, mut crashed) = (own_server().await, Crashed::default());
    for seed in first_seed()..first_seed() + rounds_wanted() {
        let mut rng = Rng::with_seed(seed);
        let mut all: Vec<&Subject> = Vec::new();
        for way in ways {
            all.extend(subjects(*way).await.iter().filter(|subject| !loses_rows(subject)));
        }
        rng.shuffle(&mut all);
        for chosen in Subject::covering(&all).chunks(DATABASES).take(times) {
            Box::pin(crash(server, chosen.to_vec(), rng.fork(), &mut crashed)).await.unwrap();
            let repeat = format!("CHAOS_SEED={seed} cargo test -p migrate-tests --test chaos {test}");
            assert!(crashed.problems.is_empty(), "{}\nrepeat it: {repeat}", crashed.problems.join("\n"));
        }
    }
    let Crashed { began, hits, left, .. } = crashed;
    let account = format!("{test}: seed {}, {hits} of {began} migrators hit, {left} left something to be done", first_seed());
    eprintln!("{account}");
    assert!(hits * 3 >= began && (left > 0 || began < 10), "too few to prove anything: {account}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn servers_are_killed() {
    crashes("servers_are_killed", &[Way::Up], 2).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn servers_are_killed_on_the_way_back() {
    crashes("servers_are_killed_on_the_way_back", &[Way::Down, Way::DownAsWritten, Way::DownInBatches], 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn servers_are_killed_in_replays() {
    crashes("servers_are_killed_in_replays", &[Way::Replay], 1).await;
}
