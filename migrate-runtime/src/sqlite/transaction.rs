//! The write transaction: it is the guard as well, since SQLite lets one connection write at a time.
//!
//! Each migration has a transaction of its own, so another migrator may come in between two of them. What a plan rests on
//! is remembered as a mark; a transaction that begins under another mark is not the one that was planned for.

use super::backend::Sqlite;
use super::codes::Code;
use super::journal::{Entry, Mark};
use super::keys::{Key, keys};
use super::orphans::Before;
use super::triggers::{self, Broken};
use super::wait::Wait;
use super::waited::{Lock, Purpose, Waited};
use super::{connect, failed, holder, journal};
use crate::engine::{Event, Failure, Work};
use crate::error::Place;
use crate::{Error, Result};
use sqlx::{AssertSqlSafe, SqlSafeStr as _, SqliteConnection};
use sqlx_core::transaction::TransactionManager as _;
use std::time::{Duration, Instant};

/// The driver counts its transactions: so one that a Rust step begins becomes a savepoint in ours.
type Driver = <sqlx::Sqlite as sqlx::Database>::TransactionManager;

const ORPHANS: &str = "looking for rows without the rows that they refer to";

const TRIGGERS: &str = "looking for triggers that don't work";

/// An open transaction.
#[derive(Debug, Default)]
pub(super) struct Open {
    /// Whether tables may be dropped in it: foreign keys are off, and the orphans counted that were there before.
    may_drop: bool,
    /// The foreign keys that were there before, and their orphans; nothing where SQLite itself sees to the keys.
    orphans: Option<Before>,
    /// The triggers that didn't work before tables or views were made anew in it.
    broken: Option<Broken>,
    /// Whether something has been done in it.
    pub(super) worked: bool,
    /// What it is for.
    purpose: Option<Purpose>,
    /// Whether it was begun for the steps of that revision, and what has to be known before them was read.
    planned: bool,
}

/// What a session of the user's has switched on or off.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Settings {
    foreign_keys: bool,
    legacy_alter_table: bool,
}

impl Settings {
    pub(super) async fn read(connection: &mut SqliteConnection) -> sqlx::Result<Self> {
        let foreign_keys = sqlx::query_scalar("pragma foreign_keys").fetch_one(&mut *connection).await?;
        let legacy_alter_table = sqlx::query_scalar("pragma legacy_alter_table").fetch_one(&mut *connection).await?;
        Ok(Self { foreign_keys, legacy_alter_table })
    }
}

impl Sqlite {
    /// Begins a transaction that may write, if the lock is to be had within `wait`.
    pub(super) async fn begin(&mut self, wait: Duration, foreign_keys_off: bool, purpose: Option<Purpose>) -> Result<bool> {
        let (limit, mut wait) = (wait, Wait::new(wait));
        let mut holders: Vec<String> = Vec::new();
        // can't be switched once it has begun
        let foreign_keys = self.settings.foreign_keys && !foreign_keys_off;
        // and the old way of renaming a table leaves triggers and keys behind that name what isn't there any more
        let pragmas = format!("pragma busy_timeout = 0; pragma foreign_keys = {foreign_keys}; pragma legacy_alter_table = off");
        self.raw(&pragmas).await?;
        let begun = loop {
            let statement = AssertSqlSafe("begin immediate").into_sql_str();
            match Driver::begin(self.connection()?, Some(statement)).await {
                Ok(()) => break true,
                Err(error) if !is_transient(&error) => return Err(failed("beginning a transaction", error)),
                Err(_) => {}
            }
            if wait.is_over() {
                break false;
            }
            let holder = self.writer();
            if !holders.contains(&holder) {
                holders.push(holder.clone());
            }
            self.options.tell(&Event::WaitingForLock { holder });
            wait.pause().await;
        };
        if !holders.is_empty() {
            Waited { purpose, lock: Lock::Write, lasted: wait.waited(), holders }.note(&mut self.waits);
        }
        if !begun {
            self.restore().await?;
            return Ok(false);
        }
        self.open = Some(Open { purpose, ..Open::default() });
        // the commit may have to wait for readers
        let timeout = self.options.lock_timeout.min(limit).as_millis();
        self.raw(&format!("pragma busy_timeout = {timeout}")).await?;
        Ok(true)
    }

    /// Sees to it that a transaction is open, for what was planned, and with foreign keys off where a table is dropped:
    /// that would delete the rows that refer to it.
    pub(super) async fn ensure(&mut self, work: &Work, place: &Place, drops: bool) -> Result<(), Failure> {
        let is_for_it = |open: &Open| open.planned && open.purpose.is_some_and(|purpose| purpose.revision == work.migration.revision);
        let (fits, worked) = match &self.open {
            // what was begun for another migration, which somebody else has done meanwhile, may have keys off that it needs
            Some(open) => (is_for_it(open) && (open.may_drop || !drops), open.worked),
            None => (false, false),
        };
        if fits {
            return Ok(());
        }
        self.rollback().await?;
        self.begin_planned(work, place, drops, worked).await
    }

    /// Begins a transaction for what was planned. `anew`: a part of it had been done, and is undone.
    async fn begin_planned(&mut self, work: &Work, place: &Place, drops: bool, anew: bool) -> Result<(), Failure> {
        let purpose = Some(Purpose::of(work));
        if !self.begin(work.lock_timeout, drops, purpose).await? {
            return Err(Failure::Transient {
                place: place.clone(),
                sql: "begin immediate".to_owned(),
                message: format!("the database is locked: {}", self.writer()),
                sqlstate: Code(super::codes::BUSY).describe(),
            });
        }
        // before anything is done in it: what it orphans itself is no orphan of old
        let orphans = if drops || !self.settings.foreign_keys {
            Some(Before::read(self.connection()?, drops).await.map_err(|error| failed(ORPHANS, error))?)
        } else {
            None
        };
        self.open = Some(Open { may_drop: drops, orphans, purpose, planned: true, ..Open::default() });
        let mark = self.current_mark().await?;
        if anew || mark != self.mark {
            return Err(Failure::Overtaken);
        }
        Ok(())
    }

    /// The foreign keys as they are before a step that may rename what they are of; `None`: nobody will ask for them.
    pub(super) async fn keys_before(&mut self) -> Result<Option<Vec<Key>>> {
        if self.open.as_ref().is_none_or(|open| open.orphans.is_none()) {
            return Ok(None);
        }
        keys(self.connection()?).await.map(Some).map_err(|error| failed(ORPHANS, error))
    }

    /// Follows the foreign keys through that step.
    pub(super) async fn follow_keys(&mut self, then: &[Key]) -> Result<()> {
        let now = keys(self.connection()?).await.map_err(|error| failed(ORPHANS, error))?;
        if let Some(orphans) = self.open.as_mut().and_then(|open| open.orphans.as_mut()) {
            orphans.follow(then, &now);
        }
        Ok(())
    }

    /// Notes which triggers don't work, before a table or a view is made anew.
    pub(super) async fn note_triggers(&mut self) -> Result<()> {
        if self.open.as_ref().is_some_and(|open| open.broken.is_none()) {
            let found = triggers::broken(self.connection()?).await.map_err(|error| failed(TRIGGERS, error))?;
            if let Some(open) = &mut self.open {
                open.broken = Some(found);
            }
        }
        Ok(())
    }

    /// The triggers that the open transaction has broken, a line for each thing that is wrong.
    pub(super) async fn broken_triggers(&mut self) -> Result<Vec<String>> {
        let Some(before) = self.open.as_mut().and_then(|open| open.broken.take()) else { return Ok(Vec::new()) };
        let now = triggers::broken(self.connection()?).await.map_err(|error| failed(TRIGGERS, error))?;
        Ok(triggers::news(&before, &now))
    }

    pub(super) async fn current_mark(&mut self) -> Result<Mark> {
        journal::mark(self.connection()?).await.map_err(|error| failed("reading the journal", error))
    }

    /// What the open transaction has orphaned, a line for each key.
    pub(super) async fn orphaned(&mut self) -> Result<Vec<String>> {
        let Some(before) = self.open.as_mut().and_then(|open| open.orphans.take()) else { return Ok(Vec::new()) };
        before.news(self.connection()?).await.map_err(|error| failed(ORPHANS, error))
    }

    /// Commits. On an error the transaction is still open.
    pub(super) async fn commit(&mut self) -> sqlx::Result<()> {
        let (Some(connection), Some(open)) = (&mut self.connection, &self.open) else { return Ok(()) };
        for waited in &self.waits {
            waited.record(connection, self.run_id).await?;
        }
        let mark = journal::mark(connection).await?;
        let began = Instant::now();
        if let Err(error) = Driver::commit(connection).await {
            if is_transient(&error) {
                let (purpose, holders) = (open.purpose, vec![self.reader()]);
                Waited { purpose, lock: Lock::Commit, lasted: began.elapsed(), holders }.note(&mut self.waits);
            }
            return Err(error);
        }
        self.waits.clear();
        self.mark = mark;
        self.open = None;
        // the transaction is done, and the next one sets what it needs
        let _ = self.restore().await;
        Ok(())
    }

    /// Rolls back what is open, if anything is.
    pub(super) async fn rollback(&mut self) -> Result<()> {
        if self.open.take().is_none() {
            return Ok(());
        }
        if Driver::rollback(self.connection()?).await.is_err() {
            // SQLite rolls some errors back itself (a full disk), and a Rust step may: then the session is out of step
            let fresh = connect::connect(&self.connect, false, self.options.guard_wait).await?;
            self.connection = Some(fresh);
        }
        self.restore().await
    }

    /// Gives the session its own settings back.
    async fn restore(&mut self) -> Result<()> {
        let Settings { foreign_keys, legacy_alter_table } = self.settings;
        let pragmas = format!("foreign_keys = {foreign_keys}; pragma legacy_alter_table = {legacy_alter_table}; pragma busy_timeout = 0");
        self.raw(&format!("pragma {pragmas}")).await
    }

    /// Writes to the journal in a transaction of its own, or in the one that is open, and commits. `planned`: only where
    /// nobody has changed what the engine knows.
    pub(super) async fn write(&mut self, doing: &'static str, wait: Duration, planned: bool, entry: &Entry<'_>) -> Result<(), Failure> {
        let mut wait = Wait::new(wait);
        loop {
            if self.open.is_none() && !self.begin(wait.left(), false, entry.purpose()).await? {
                return Err(Error::Locked { holder: self.writer(), waited: wait.waited() }.into());
            }
            if planned && self.current_mark().await? != self.mark {
                return Err(Failure::Overtaken);
            }
            let run = self.run_id;
            let done = match entry.write(self.connection()?, run).await {
                Ok(()) => self.commit().await,
                Err(error) => Err(error),
            };
            let Err(error) = done else { return Ok(()) };
            self.rollback().await?;
            self.step_back(error, doing, &mut wait).await?;
        }
    }

    /// Lets whoever reads get done, and whoever wants to, read, before a commit is tried again.
    pub(super) async fn step_back(&mut self, error: sqlx::Error, doing: &'static str, wait: &mut Wait) -> Result<()> {
        if !is_transient(&error) {
            return Err(failed(doing, error));
        }
        let holder = self.reader();
        if wait.is_over() {
            return Err(Error::Locked { holder, waited: wait.waited() });
        }
        self.options.tell(&Event::WaitingForLock { holder });
        wait.pause().await;
        Ok(())
    }

    /// Waits for a writer who lets nobody read, unless that has lasted too long, or the error is another one.
    pub(super) async fn wait_to_read(&self, error: Error, wait: &mut Wait) -> Result<()> {
        let locked = error.sqlstate().is_some_and(|code| code.starts_with("SQLITE_BUSY") || code.starts_with("SQLITE_LOCKED"));
        if !locked || self.open.is_some() {
            return Err(error);
        }
        let holder = self.writer();
        if wait.is_over() {
            return Err(Error::Locked { holder, waited: wait.waited() });
        }
        self.options.tell(&Event::WaitingForLock { holder });
        wait.pause().await;
        Ok(())
    }

    pub(super) fn writer(&self) -> String {
        holder::writer(self.connect.get_filename())
    }

    pub(super) fn reader(&self) -> String {
        holder::reader(self.connect.get_filename())
    }

    /// A statement of our own.
    pub(super) async fn raw(&mut self, sql: &str) -> Result<()> {
        let done = sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(self.connection()?).await;
        done.map(drop).map_err(|error| failed("talking to SQLite", error))
    }
}

/// Whether trying again may help.
pub(super) fn is_transient(error: &sqlx::Error) -> bool {
    matches!(error, sqlx::Error::Database(error) if Code::of(error.as_ref()).is_transient())
}
