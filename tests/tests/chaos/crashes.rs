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
use std::sync::OnceLock;
use std::time::Duration;
use tokio::task::JoinSet;

/// How many databases one crash meets.
const DATABASES: usize = 6;

/// How many crashes there are in a round.
const CRASHES: usize = 2;

/// A cluster that nobody else works on. What it has said to be committed is on the disk.
async fn own_server() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    let server = SERVER.get_or_init(|| Server::start_from(&ServerBinaries::find().unwrap()).unwrap());
    let mut connection = PgConnection::connect(server.url()).await.unwrap();
    connection.execute("alter role postgres set synchronous_commit = on").await.unwrap();
    connection.close().await.unwrap();
    server
}

/// Lets all of them go their ways, and stops the server when the moment of the first has come. What is wrong then.
async fn crash(subjects: Vec<&'static Subject>, mut rng: Rng) -> Result<(bool, Vec<String>), String> {
    let server = own_server().await;
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
    let hit = !migrators.is_empty();
    tokio::task::spawn_blocking(move || server.crash().and_then(|()| server.start_again())).await.unwrap().unwrap();
    migrators.join_all().await;
    let mut problems = Vec::new();
    let first = prepared[0].subject.name.clone();
    for (prepared, database) in prepared.iter().zip(&databases) {
        let wrong = prepared.heal(database).await;
        if !wrong.is_empty() {
            problems.push(format!(
                "--- {} after a crash of the server at {moment:?} of {first}\n{}",
                prepared.subject.name,
                wrong.join("\n")
            ));
        }
    }
    Ok((hit, problems))
}

/// PostgreSQL empties unlogged tables after a crash.
fn loses_rows(subject: &Subject) -> bool {
    subject.chain.migrations.iter().any(|migration| migration.up.contains("unlogged"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn servers_are_killed() {
    let mut hits = 0;
    for seed in first_seed()..first_seed() + rounds_wanted() {
        let mut rng = Rng::with_seed(seed);
        let mut all: Vec<&Subject> = subjects(Way::Up).await.iter().filter(|subject| !loses_rows(subject)).collect();
        rng.shuffle(&mut all);
        for chosen in Subject::covering(&all).chunks(DATABASES).take(CRASHES) {
            let (hit, problems) = crash(chosen.to_vec(), rng.fork()).await.unwrap();
            hits += usize::from(hit);
            let repeat = format!("CHAOS_SEED={seed} cargo test -p migrate-tests --test chaos servers_are_killed");
            assert!(problems.is_empty(), "{}\nrepeat it: {repeat}", problems.join("\n"));
        }
    }
    assert!(hits > 0, "every migration was done before the server was stopped");
}
