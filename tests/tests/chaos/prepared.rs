//! A subject on a server: its base with rows in it, and what the migration makes of that where nothing goes wrong.

use crate::state::{State, texts, unaccounted};
use crate::subject::{BASE, Subject};
use migrate_runtime::{Database as Migrator, Event, Migrations, Options, Summary};
use migrate_tests::proxy::{Counters, Proxy};
use migrate_tests::{Database, Server};
use sqlx::{Connection as _, PgConnection};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Nothing here takes that long but a migrator that waits for what never comes.
const HANGS: Duration = Duration::from_mins(1);

/// A subject, ready to meet faults.
pub struct Prepared {
    pub subject: Subject,
    /// What it comes to without a fault.
    pub expected: State,
    /// What goes over the network meanwhile.
    pub course: Course,
    /// Until it is given away.
    base: Option<Database>,
    server: &'static Server,
}

/// What went over the network while the migration was done.
#[derive(Clone, Debug, Default)]
pub struct Course {
    /// All of it.
    pub total: Counters,
    /// The round trips in which operations were done.
    pub working: BTreeSet<u64>,
}

/// `up`, with an end to the patience.
pub async fn up(url: &str, chain: Migrations) -> Result<Summary, String> {
    up_with(url, chain, None, in_phases()).await
}

/// Every table is large, so that what can be done in phases is.
fn in_phases() -> Options {
    Options { large_table: 0, ..Options::default() }
}

async fn up_with(url: &str, chain: Migrations, target: Option<&str>, options: Options) -> Result<Summary, String> {
    let migrator = Migrator::new(url).map_err(|error| error.to_string())?.with_options(options);
    match tokio::time::timeout(HANGS, migrator.up(chain, target)).await {
        Ok(done) => done.map_err(|error| error.to_string()),
        Err(_) => Err(format!("`up` hangs for {HANGS:?}")),
    }
}

impl Prepared {
    /// Runs the subject without a fault.
    pub async fn new(subject: &Subject, server: &'static Server) -> Result<Self, String> {
        match Self::with_rows(subject, server, true).await {
            // what is in the way of a row, or of what the rows have, is no fault
            Err(_) => Self::with_rows(subject, server, false).await,
            prepared => prepared,
        }
    }

    async fn with_rows(subject: &Subject, server: &'static Server, rows: bool) -> Result<Self, String> {
        let base = Database::create(server).await;
        up_with(base.url(), subject.chain, Some(BASE), Options::default()).await?;
        if rows {
            base.execute(include_str!("rows.sql")).await.map_err(|error| error.to_string())?;
        }
        let mut prepared =
            Self { subject: subject.clone(), expected: State::default(), course: Course::default(), base: Some(base), server };
        let database = prepared.database().await;
        prepared.course = prepared.go(&database).await?;
        if !up(database.url(), subject.chain).await?.revisions.is_empty() {
            return Err("a second `up` has something to do".to_owned());
        }
        let unaccounted = unaccounted(&database, subject).await;
        if !unaccounted.is_empty() {
            return Err(unaccounted.join("\n"));
        }
        prepared.expected = State::of(&database, &subject.model).await;
        Ok(prepared)
    }

    /// A database at the base.
    pub async fn database(&self) -> Database {
        let base = self.base.as_ref().unwrap();
        let mut connection = PgConnection::connect(self.server.url()).await.unwrap();
        // what is copied nobody can be connected to
        let sessions = format!("select pid::text from pg_stat_activity where datname = '{}'", base.name());
        while !texts(&mut connection, &sessions).await.is_empty() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        connection.close().await.unwrap();
        base.copy(self.server).await
    }

    /// The last database at the base: there can be no other one after it.
    pub fn last_database(&mut self) -> Database {
        self.base.take().unwrap()
    }

    /// The network before the server.
    pub fn proxy(&self) -> Proxy {
        Proxy::start(self.server, Duration::ZERO).unwrap()
    }

    async fn go(&self, database: &Database) -> Result<Course, String> {
        let proxy = Arc::new(self.proxy());
        let working = Arc::new(Mutex::new(BTreeSet::new()));
        let (seen, heard) = (Arc::clone(&proxy), Arc::clone(&working));
        let observer = move |event: &Event| {
            if matches!(event, Event::Progress { .. } | Event::Phase { .. } | Event::Operation(_)) {
                heard.lock().unwrap().insert(seen.counters().round_trips);
            }
        };
        let options = Options { observer: Some(Arc::new(observer)), ..in_phases() };
        up_with(&proxy.url(database.url()), self.subject.chain, None, options).await?;
        let working = working.lock().unwrap().clone();
        Ok(Course { total: proxy.counters(), working })
    }

    /// Heals what a fault has left, and tells what is otherwise than without it.
    pub async fn heal(&self, database: &Database) -> Vec<String> {
        if let Err(error) = up(database.url(), self.subject.chain).await {
            return vec![format!("the second `up` fails: {error}")];
        }
        match up(database.url(), self.subject.chain).await {
            Ok(summary) if summary.revisions.is_empty() => {}
            Ok(summary) => return vec![format!("the third `up` has something to do: {:?}", summary.revisions)],
            Err(error) => return vec![format!("the third `up` fails: {error}")],
        }
        let mut problems = unaccounted(database, &self.subject).await;
        problems.extend(State::of(database, &self.subject.model).await.compare(&self.expected));
        problems
    }
}
