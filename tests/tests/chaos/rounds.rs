//! Rounds of faults that a seed has chosen.

use crate::fault::Fault;
use crate::prepared::Prepared;
use crate::subject::Subject;
use fastrand::Rng;
use migrate_tests::{Database, server};
use std::collections::BTreeMap;
use std::str::FromStr;
use std::sync::OnceLock;
use tokio::task::JoinSet;

/// How many subjects are worked on at once.
const AT_ONCE: usize = 4;

fn variable<T: FromStr>(name: &str, default: T) -> T {
    let Ok(text) = std::env::var(name) else { return default };
    text.parse().unwrap_or_else(|_| panic!("`{name}` is no number: {text}"))
}

/// The seed of the first round.
pub fn first_seed() -> u64 {
    variable("CHAOS_SEED", 1)
}

/// How many rounds there are.
pub fn rounds_wanted() -> u64 {
    variable("CHAOS_RUNS", 1)
}

/// The cases that the server takes.
pub async fn subjects() -> &'static [Subject] {
    static SUBJECTS: OnceLock<Vec<Subject>> = OnceLock::new();
    let database = Database::create(server()).await;
    let version = database.text("select (current_setting('server_version_num')::integer / 10000)::text").await.unwrap().parse().unwrap();
    SUBJECTS.get_or_init(|| Subject::all(version))
}

/// What came of the faults of one subject.
struct Met {
    name: String,
    /// The faults, each with what is wrong after it.
    faults: Vec<(Fault, bool, Vec<String>)>,
}

/// Which faults a subject meets. What they are depends on the seed and the subject, whatever the others meet.
type Choose = fn(&mut Rng, &Prepared) -> Vec<Fault>;

fn socket_cuts(rng: &mut Rng, prepared: &Prepared) -> Vec<Fault> {
    let at_work = rng.u8(..3) > 0;
    vec![if at_work { Fault::cut_at_work(rng, &prepared.course) } else { Fault::cut_anywhere(rng, &prepared.course) }]
}

fn kills(rng: &mut Rng, prepared: &Prepared) -> Vec<Fault> {
    vec![Fault::kill(rng, &prepared.course)]
}

fn terminations(rng: &mut Rng, _: &Prepared) -> Vec<Fault> {
    vec![Fault::terminate(rng)]
}

async fn meet(subject: Subject, mut rng: Rng, choose: Choose) -> Result<Met, String> {
    let mut prepared =
        Prepared::new(&subject, server()).await.map_err(|error| format!("--- {} without a fault\n{error}\n", subject.name))?;
    let mut faults = Vec::new();
    let mut chosen = choose(&mut rng, &prepared).into_iter().peekable();
    while let Some(fault) = chosen.next() {
        let database = if chosen.peek().is_some() { prepared.database().await } else { prepared.last_database() };
        let hit = fault.inject(&prepared, &database).await;
        faults.push((fault, hit, prepared.heal(&database).await));
    }
    Ok(Met { name: subject.name, faults })
}

/// The same seed and name give the same number, on every machine.
fn mixed(seed: u64, name: &str) -> u64 {
    name.bytes().fold(seed ^ 0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// Runs all rounds. `share`: how many of the subjects that have all kinds among them are taken, one in so many.
#[expect(clippy::print_stderr, reason = "who runs it for hours wants to see what it finds when it finds it")]
async fn rounds(test: &str, choose: Choose, share: usize) -> BTreeMap<&'static str, (usize, usize)> {
    let only = std::env::var("CHAOS_CASE").ok();
    let (mut runs, mut hits) = (0, 0);
    let mut failures = Vec::new();
    let mut kinds: BTreeMap<&'static str, (usize, usize)> = BTreeMap::new();
    for seed in first_seed()..first_seed() + rounds_wanted() {
        let mut rng = Rng::with_seed(seed);
        let mut all: Vec<&Subject> = subjects().await.iter().collect();
        rng.shuffle(&mut all);
        let chosen: Vec<&Subject> = match &only {
            Some(only) => all.into_iter().filter(|subject| subject.name.starts_with(only)).collect(),
            None => Subject::covering(&all).into_iter().step_by(share).collect(),
        };
        let mut running = JoinSet::new();
        let mut waiting = chosen.iter();
        loop {
            while running.len() < AT_ONCE
                && let Some(subject) = waiting.next()
            {
                running.spawn(meet((*subject).clone(), Rng::with_seed(mixed(seed, &subject.name)), choose));
            }
            let Some(met) = running.join_next().await else { break };
            match met.unwrap() {
                Err(failure) => failures.push(failure),
                Ok(met) => {
                    let subject = chosen.iter().find(|subject| subject.name == met.name).unwrap();
                    for (fault, hit, problems) in met.faults {
                        runs += 1;
                        hits += usize::from(hit);
                        for kind in &subject.kinds {
                            let counts = kinds.entry(kind).or_default();
                            *counts = (counts.0 + 1, counts.1 + usize::from(hit));
                        }
                        if !problems.is_empty() {
                            let repeat =
                                format!("CHAOS_SEED={seed} CHAOS_CASE={} cargo test -p migrate-tests --test chaos {test}", met.name);
                            let failure = format!("--- {fault:?} in {}\n{}\nrepeat it: {repeat}\n", met.name, problems.join("\n"));
                            eprintln!("{failure}");
                            failures.push(failure);
                        }
                    }
                }
            }
        }
    }
    eprintln!("{runs} runs, {hits} of them hit, {} kinds of operations", kinds.len());
    assert!(failures.is_empty(), "{} failures:\n{}", failures.len(), failures.join("\n"));
    kinds
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sockets_are_cut() {
    let kinds = rounds("sockets_are_cut", socket_cuts, 1).await;
    let spared: Vec<_> = kinds.iter().filter(|(_, (_, hit))| *hit == 0).map(|(kind, _)| kind).collect();
    assert!(spared.is_empty(), "no cut hit {spared:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn migrators_are_killed() {
    let kinds = rounds("migrators_are_killed", kills, 5).await;
    assert!(kinds.values().any(|(_, hit)| *hit > 0), "{kinds:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sessions_are_ended() {
    let kinds = rounds("sessions_are_ended", terminations, 5).await;
    assert!(kinds.values().any(|(_, hit)| *hit > 0), "{kinds:?}");
}
