//! What goes wrong, and where.

use crate::migrator::Child;
use crate::prepared::{Course, Prepared};
use crate::state::texts;
use fastrand::Rng;
use migrate_tests::Database;
use migrate_tests::proxy::{Cut, Proxy};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _};
use std::time::Duration;

/// One thing that goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The network breaks.
    Cut(Cut),
    /// The migrator is killed with SIGKILL once so much has gone over the network.
    Kill(Moment),
    /// Sessions of the migrator are ended from outside while a step waits for a lock.
    Terminate(Sessions),
}

/// When so many round trips have begun and so many statements been answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    pub round_trips: u64,
    pub answers: u64,
}

/// Which sessions are ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sessions {
    /// The one that waits.
    Waiting,
    /// The one that holds the guard.
    Guard,
    /// All of them.
    All,
}

/// Tables that a person or another program works on.
const LOCK_TABLES: &str = "select format('lock table only %s in row exclusive mode', c.oid::regclass)
    from pg_class as c join pg_namespace as n on n.oid = c.relnamespace
    where c.relkind in ('r', 'p') and n.nspname !~ '^pg_' and n.nspname not in ('information_schema', '_migrate') order by c.oid";

const WAITS: &str = "select pid::text from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";

impl Moment {
    pub fn choose(rng: &mut Rng, course: &Course) -> Self {
        let (round_trips, answers) = if rng.bool() { (working(rng, course), 0) } else { (0, rng.u64(1..=course.total.complete)) };
        Self { round_trips, answers }
    }

    /// Whether it has come.
    pub fn has_come(self, proxy: &Proxy) -> bool {
        let counters = proxy.counters();
        counters.round_trips >= self.round_trips && counters.complete >= self.answers
    }
}

/// A round trip in which operations are done, if there is one.
fn working(rng: &mut Rng, course: &Course) -> u64 {
    rng.choice(course.working.iter().copied()).unwrap_or_else(|| rng.u64(1..=course.total.round_trips))
}

impl Fault {
    /// A break of the network where operations are done: before the server gets them with their commit, while it is at
    /// them, or when they are committed and nobody hears of it.
    pub fn cut_at_work(rng: &mut Rng, course: &Course) -> Self {
        let at = working(rng, course);
        Self::Cut(match rng.u8(..3) {
            0 => Cut::BeforeRequest(at),
            1 => Cut::AfterRequest(at),
            _ => Cut::BeforeReply(at),
        })
    }

    /// A break anywhere.
    pub fn cut_anywhere(rng: &mut Rng, course: &Course) -> Self {
        let round_trip = rng.u64(1..=course.total.round_trips);
        Self::Cut(match rng.u8(..6) {
            0 => Cut::BeforeRequest(round_trip),
            1 => Cut::AfterRequest(round_trip),
            2 => Cut::BeforeReply(round_trip),
            3 => Cut::AfterBytes(rng.u64(..course.total.bytes_to_server)),
            // most statements are in the one message that does the work
            _ => Cut::AfterAnswers(rng.u64(1..=course.total.complete)),
        })
    }

    /// The migrator's sudden death.
    pub fn kill(rng: &mut Rng, course: &Course) -> Self {
        Self::Kill(Moment::choose(rng, course))
    }

    /// The same while operations are done.
    pub fn kill_at_work(rng: &mut Rng, course: &Course) -> Self {
        Self::Kill(Moment { round_trips: working(rng, course), answers: 0 })
    }

    /// The end of sessions.
    pub fn terminate(rng: &mut Rng) -> Self {
        Self::Terminate(*rng.choice(&[Sessions::Waiting, Sessions::Guard, Sessions::All]).unwrap())
    }

    /// Goes the way into the fault. Tells whether it came to that.
    pub async fn inject(self, prepared: &Prepared, database: &Database) -> bool {
        match self {
            Self::Cut(cut) => {
                let proxy = prepared.proxy();
                proxy.cut_at(cut);
                // whether it fails is its own affair
                let _ = prepared.subject.way.go(&proxy.url(database.url()), prepared.subject.chain).await;
                !proxy.has_planned_cut()
            }
            Self::Kill(moment) => {
                let proxy = prepared.proxy();
                let mut child = Child::start(&prepared.subject, &proxy.url(database.url()));
                while !moment.has_come(&proxy) && child.is_alive() {
                    tokio::time::sleep(Duration::from_micros(300)).await;
                }
                child.kill()
            }
            Self::Terminate(sessions) => terminate(sessions, prepared, database).await,
        }
    }
}

async fn terminate(sessions: Sessions, prepared: &Prepared, database: &Database) -> bool {
    let (mut application, mut watcher) = (database.connect().await, database.connect().await);
    let mut transaction = application.begin().await.unwrap();
    for lock in texts(&mut transaction, LOCK_TABLES).await {
        transaction.execute(sqlx::raw_sql(AssertSqlSafe(lock))).await.unwrap();
    }
    let (url, way, chain) = (database.url().to_owned(), prepared.subject.way, prepared.subject.chain);
    let migrator = tokio::spawn(async move { way.go(&url, chain).await });
    let mut hit = false;
    while !hit && !migrator.is_finished() {
        let waiting = texts(&mut watcher, WAITS).await;
        if let Some(waiting) = waiting.first() {
            let which = match sessions {
                Sessions::Waiting => format!("pid = {waiting}"),
                Sessions::Guard => format!("pid <> {waiting}"),
                Sessions::All => "true".to_owned(),
            };
            let end = format!(
                "select pg_terminate_backend(pid)::text from pg_stat_activity \
                 where datname = current_database() and application_name like 'migrate %' and {which}"
            );
            hit = !texts(&mut watcher, &end).await.is_empty();
        } else {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
    transaction.rollback().await.unwrap();
    // whether it fails is its own affair
    let _ = migrator.await.unwrap();
    application.close().await.unwrap();
    watcher.close().await.unwrap();
    hit
}
