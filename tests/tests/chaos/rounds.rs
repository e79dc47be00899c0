//! Rounds of faults that a seed has chosen.

use crate::fault::Fault;
use crate::prepared::Prepared;
use crate::subject::Subject;
use crate::way::Way;
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

/// The cases that the server takes and that can go this way.
pub async fn subjects(way: Way) -> &'static [Subject] {
    static SUBJECTS: [OnceLock<Vec<Subject>>; Way::ALL.len()] = [const { OnceLock::new() }; Way::ALL.len()];
    let subjects = &SUBJECTS[Way::ALL.iter().position(|other| *other == way).unwrap()];
    if let Some(subjects) = subjects.get() {
        return subjects;
    }
    let database = Database::create(server()).await;
    let version = database.text("select (current_setting('server_version_num')::integer / 10000)::text").await.unwrap().parse().unwrap();
    subjects.get_or_init(|| Subject::all(version, way))
}

/// What came of the faults of one subject.
struct Met {
    /// The faults, and how many of them hit.
    faults: Vec<Fault>,
    hits: usize,
    /// Whether they have left anything to be done, and what is wrong once that is done.
    left: bool,
    problems: Vec<String>,
    /// How many of them came when some batches of the way back were committed, and others weren't.
    half: usize,
}

/// What came of all rounds.
struct Account {
    /// For each kind of operation, how often it met faults, and how often one of them hit.
    kinds: BTreeMap<&'static str, (usize, usize)>,
    /// How many faults came between two batches of a way back.
    half: usize,
}

/// Whether batches of a way back are committed, and their end isn't.
const IS_HALF: &str = "select exists (select from _migrate.backfills where direction = 'down' and rows_passed > 0)::text";

/// Which faults a subject meets, one after the other: each in what was to heal those before it. What they are depends on the seed and the subject, whatever the others meet.
type Choose = fn(&mut Rng, &Prepared) -> Vec<Fault>;

fn socket_cuts(rng: &mut Rng, prepared: &Prepared) -> Vec<Fault> {
    let at_work = rng.u8(..3) > 0;
    vec![if at_work { Fault::cut_at_work(rng, &prepared.course) } else { Fault::cut_anywhere(rng, &prepared.course) }]
}

fn any_fault(rng: &mut Rng, prepared: &Prepared) -> Fault {
    match rng.u8(..8) {
        0 => Fault::kill(rng, &prepared.course),
        1 => Fault::terminate(rng),
        2 | 3 => Fault::cut_anywhere(rng, &prepared.course),
        _ => Fault::cut_at_work(rng, &prepared.course),
    }
}

fn any(rng: &mut Rng, prepared: &Prepared) -> Vec<Fault> {
    vec![any_fault(rng, prepared)]
}

fn any_twice(rng: &mut Rng, prepared: &Prepared) -> Vec<Fault> {
    vec![any_fault(rng, prepared), any_fault(rng, prepared)]
}

fn at_work(rng: &mut Rng, prepared: &Prepared) -> Vec<Fault> {
    let kills = rng.u8(..3) == 0;
    vec![if kills { Fault::kill_at_work(rng, &prepared.course) } else { Fault::cut_at_work(rng, &prepared.course) }]
}

fn kills(rng: &mut Rng, prepared: &Prepared) -> Vec<Fault> {
    vec![Fault::kill(rng, &prepared.course)]
}

fn terminations(rng: &mut Rng, _: &Prepared) -> Vec<Fault> {
    vec![Fault::terminate(rng)]
}

/// What a test has its subjects meet.
#[derive(Clone, Copy)]
struct Plan {
    /// Its name.
    test: &'static str,
    /// The ways that subjects go.
    ways: &'static [Way],
    faults: Choose,
    /// How many of the subjects that have all kinds among them are taken, one in so many.
    share: usize,
    /// How many of a hundred faults have to hit, and how many of a hundred subjects have to be left with something to be done:
    /// otherwise nothing is proven.
    least: (usize, usize),
}

async fn meet(subject: Subject, mut rng: Rng, choose: Choose) -> Result<Met, String> {
    let mut prepared =
        Box::pin(Prepared::new(&subject, server())).await.map_err(|error| format!("--- {} without a fault\n{error}\n", subject.name))?;
    let faults = choose(&mut rng, &prepared);
    let database = prepared.last_database();
    let mut hits = 0;
    let mut half = 0;
    for fault in &faults {
        hits += usize::from(fault.inject(&prepared, &database).await);
        half += usize::from(subject.way == Way::DownInBatches && database.text(IS_HALF).await.unwrap() == "true");
    }
    let (left, problems) = prepared.heal(&database).await;
    Ok(Met { faults, hits, left, problems, half })
}

/// The same seed and name give the same number, on every machine.
fn mixed(seed: u64, name: &str) -> u64 {
    name.bytes().fold(seed ^ 0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// The subjects of a round, each way with its own, and kinds of operations that are among them all.
async fn chosen(plan: Plan, rng: &mut Rng) -> Vec<&'static Subject> {
    let only = std::env::var("CHAOS_CASE").ok();
    let mut chosen = Vec::new();
    for way in plan.ways {
        let mut all: Vec<&Subject> = subjects(*way).await.iter().collect();
        rng.shuffle(&mut all);
        match &only {
            Some(only) => chosen.extend(all.into_iter().filter(|subject| subject.name.starts_with(only))),
            None => chosen.extend(Subject::covering(&all).into_iter().step_by(plan.share)),
        }
    }
    chosen
}

/// Runs all rounds.
#[expect(clippy::print_stderr, reason = "who runs it for hours wants to see what it finds when it finds it")]
async fn rounds(plan: Plan) -> Account {
    let (mut runs, mut faults, mut hits, mut left, mut half) = (0, 0, 0, 0, 0);
    let mut failures = Vec::new();
    let mut kinds: BTreeMap<&'static str, (usize, usize)> = BTreeMap::new();
    for seed in first_seed()..first_seed() + rounds_wanted() {
        let chosen = chosen(plan, &mut Rng::with_seed(seed)).await;
        let mut running = JoinSet::new();
        let mut waiting = chosen.iter();
        loop {
            while running.len() < AT_ONCE
                && let Some(subject) = waiting.next().copied()
            {
                let rng = Rng::with_seed(mixed(seed, &subject.name));
                running.spawn(async move { (subject, Box::pin(meet(subject.clone(), rng, plan.faults)).await) });
            }
            let Some(met) = running.join_next().await else { break };
            let (subject, met) = met.unwrap();
            let repeat = format!("CHAOS_SEED={seed} CHAOS_CASE={} cargo test -p migrate-tests --test chaos {}", subject.name, plan.test);
            let failure = match met {
                Err(failure) => Some(failure),
                Ok(met) => {
                    runs += 1;
                    faults += met.faults.len();
                    hits += met.hits;
                    left += usize::from(met.left);
                    half += met.half;
                    for kind in &subject.kinds {
                        let counts = kinds.entry(kind).or_default();
                        *counts = (counts.0 + 1, counts.1 + met.hits);
                    }
                    (!met.problems.is_empty()).then(|| {
                        format!("--- {:?} in {} of {}\n{}\n", met.faults, subject.way.name(), subject.name, met.problems.join("\n"))
                    })
                }
            };
            if let Some(failure) = failure {
                let failure = format!("{failure}repeat it: {repeat}\n");
                eprintln!("{failure}");
                failures.push(failure);
            }
        }
    }
    let account = format!(
        "{}: seed {}, {runs} runs of {} kinds of operations, {hits} of {faults} faults hit, {left} left something to be done",
        plan.test,
        first_seed(),
        kinds.len()
    );
    eprintln!("{account}");
    assert!(failures.is_empty(), "{} failures:\n{}", failures.len(), failures.join("\n"));
    if std::env::var("CHAOS_CASE").is_err() {
        assert!(hits * 100 >= faults * plan.least.0 && left * 100 >= runs * plan.least.1, "too few to prove anything: {account}");
    }
    Account { kinds, half }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sockets_are_cut() {
    let kinds = rounds(Plan { test: "sockets_are_cut", ways: &[Way::Up], faults: socket_cuts, share: 1, least: (90, 40) }).await.kinds;
    let spared: Vec<_> = kinds.iter().filter(|(_, (_, hit))| *hit == 0).map(|(kind, _)| kind).collect();
    assert!(spared.is_empty(), "no cut hit {spared:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn migrators_are_killed() {
    rounds(Plan { test: "migrators_are_killed", ways: &[Way::Up], faults: kills, share: 5, least: (40, 5) }).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sessions_are_ended() {
    rounds(Plan { test: "sessions_are_ended", ways: &[Way::Up], faults: terminations, share: 5, least: (30, 5) }).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_way_back_is_interrupted() {
    let ways = &[Way::Down, Way::DownAsWritten];
    rounds(Plan { test: "the_way_back_is_interrupted", ways, faults: any, share: 8, least: (40, 5) }).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn batches_on_the_way_back_are_interrupted() {
    let test = "batches_on_the_way_back_are_interrupted";
    let half = rounds(Plan { test, ways: &[Way::DownInBatches], faults: at_work, share: 12, least: (40, 5) }).await.half;
    assert!(half > 0 || std::env::var("CHAOS_CASE").is_ok(), "no fault came between two batches");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn replays_are_interrupted() {
    rounds(Plan { test: "replays_are_interrupted", ways: &[Way::Replay], faults: any, share: 6, least: (40, 5) }).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn recoveries_are_interrupted() {
    // what comes between the two may have healed all
    let plan = Plan { test: "recoveries_are_interrupted", ways: &Way::ALL, faults: any_twice, share: 20, least: (40, 0) };
    let kinds = rounds(plan).await.kinds;
    assert!(kinds.values().any(|(_, hit)| *hit > 1), "{kinds:?}");
}
