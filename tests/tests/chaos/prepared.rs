//! A subject on a server: where it begins, with rows in it, and what becomes of that where nothing goes wrong.

use crate::state::{State, texts, unaccounted};
use crate::subject::{BASE, Subject};
use crate::way::{Way, in_phases, up, up_with};
use migrate_core::lower;
use migrate_runtime::{Event, Options, Outcome};
use migrate_tests::proxy::{Counters, Proxy};
use migrate_tests::{Database, Server};
use sqlx::{Connection as _, PgConnection};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A subject, ready to meet faults.
pub struct Prepared {
    pub subject: Subject,
    /// What it comes to without a fault.
    pub expected: State,
    /// What `up` comes to after that, where it was a way back.
    again: State,
    /// What goes over the network meanwhile.
    pub course: Course,
    /// A database at the beginning of the way, until it is given away.
    beginning: Option<Database>,
    server: &'static Server,
}

/// What went over the network on the way.
#[derive(Clone, Debug, Default)]
pub struct Course {
    /// All of it.
    pub total: Counters,
    /// The round trips in which operations were done.
    pub working: BTreeSet<u64>,
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
        let beginning = Database::create(server).await;
        let base = begin(subject, &beginning, rows).await?;
        let (expected, again, course) = (State::default(), State::default(), Course::default());
        let mut prepared = Self { subject: subject.clone(), expected, again, course, beginning: Some(beginning), server };
        let database = prepared.database().await;
        prepared.course = prepared.go(&database).await?;
        if !subject.way.go(database.url(), subject.chain).await?.revisions.is_empty() {
            return Err(format!("a second `{}` has something to do", subject.way.name()));
        }
        let unaccounted = unaccounted(&database, subject, subject.way).await;
        if !unaccounted.is_empty() {
            return Err(unaccounted.join("\n"));
        }
        prepared.expected = State::of(&database, subject.model()).await;
        if let Some(base) = base {
            if prepared.expected.dump != base {
                let diff = similar::TextDiff::from_lines(&base, &prepared.expected.dump);
                return Err(diff.unified_diff().header("the base", "what the way back leads to").to_string());
            }
            prepared.again = prepared.up_again(&database).await?;
        }
        Ok(prepared)
    }

    /// Goes up once more after the way back.
    async fn up_again(&self, database: &Database) -> Result<State, String> {
        let error = |error| format!("`up` after the way back: {error}");
        up(database.url(), self.subject.chain).await.map_err(error)?;
        let unaccounted = unaccounted(database, &self.subject, Way::Up).await;
        if !unaccounted.is_empty() {
            return Err(error(unaccounted.join("\n")));
        }
        Ok(State::of(database, &self.subject.after).await)
    }

    /// A database at the beginning of the way.
    pub async fn database(&self) -> Database {
        let beginning = self.beginning.as_ref().unwrap();
        let mut connection = PgConnection::connect(self.server.url()).await.unwrap();
        // what is copied nobody can be connected to
        let sessions = format!("select pid::text from pg_stat_activity where datname = '{}'", beginning.name());
        while !texts(&mut connection, &sessions).await.is_empty() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        connection.close().await.unwrap();
        beginning.copy(self.server).await
    }

    /// The last database at the beginning: there can be no other one after it.
    pub fn last_database(&mut self) -> Database {
        self.beginning.take().unwrap()
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
            if matches!(event, Event::Progress { .. } | Event::Phase { .. } | Event::Backfill(_) | Event::Operation(_)) {
                heard.lock().unwrap().insert(seen.counters().round_trips);
            }
        };
        let options = Options { observer: Some(Arc::new(observer)), ..in_phases() };
        self.subject.way.go_with(&proxy.url(database.url()), self.subject.chain, options).await?;
        let working = working.lock().unwrap().clone();
        Ok(Course { total: proxy.counters(), working })
    }

    /// Heals what a fault has left. Tells whether there was anything to be done, and what is otherwise than without it.
    pub async fn heal(&self, database: &Database) -> (bool, Vec<String>) {
        let Subject { way, chain, .. } = self.subject;
        let name = if way.is_down() { "down" } else { "up" };
        match way.go(database.url(), chain).await {
            Ok(summary) => (!summary.revisions.is_empty(), self.problems(database, name).await),
            Err(error) => (true, vec![format!("the next `{name}` fails: {error}")]),
        }
    }

    /// What is wrong once a fault is healed.
    async fn problems(&self, database: &Database, name: &str) -> Vec<String> {
        let Subject { way, chain, .. } = self.subject;
        match way.go(database.url(), chain).await {
            Ok(summary) if summary.revisions.is_empty() => {}
            Ok(summary) => return vec![format!("the `{name}` after that has something to do: {:?}", summary.revisions)],
            Err(error) => return vec![format!("the `{name}` after that fails: {error}")],
        }
        let mut problems = unaccounted(database, &self.subject, way).await;
        problems.extend(State::of(database, self.subject.model()).await.compare(&self.expected));
        if way.is_down() && problems.is_empty() {
            match self.up_again(database).await {
                Ok(state) => problems.extend(state.compare(&self.again)),
                Err(error) => problems.push(error),
            }
        }
        problems
    }
}

/// Brings a new database to the beginning of a subject's way. Gives the schema of the base, if it is to come back to that.
async fn begin(subject: &Subject, database: &Database, rows: bool) -> Result<Option<String>, String> {
    let (url, chain) = (database.url(), subject.chain);
    if subject.way == Way::Replay {
        let summary = up(url, chain).await?;
        let did = summary.revisions.iter().flat_map(|report| &report.operations).filter(|report| report.outcome != Outcome::Skipped);
        let did: Vec<&str> = did.map(|report| report.operation.as_str()).collect();
        if !did.is_empty() {
            return Err(format!("nothing of it is there, and yet not everything was skipped: {did:?}"));
        }
        for statement in lower::parse(&subject.base).unwrap_or_default() {
            database.execute(&statement.sql).await.map_err(|error| format!("{error}: {}", statement.sql))?;
        }
    } else {
        up_with(url, chain, Some(BASE), Options::default()).await?;
    }
    if rows {
        database.execute(include_str!("rows.sql")).await.map_err(|error| error.to_string())?;
    }
    if !subject.way.is_down() {
        return Ok(None);
    }
    let base = database.dump().await;
    up(url, chain).await?;
    Ok(Some(base))
}
