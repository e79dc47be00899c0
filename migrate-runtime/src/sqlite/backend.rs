//! SQLite as the engine sees it.

use super::journal::{Entry, Mark};
use super::transaction::{Open, Settings};
use super::wait::Wait;
use super::waited::Waited;
use super::{catalog, connect, cursor, failed, format, journal};
use crate::engine::{Backend, CursorPlace, Direction, Failure, Guarded, Hears, Options, Passed, Rendered, Rules, Together, Told, Work};
use crate::history::{History, OperationRow, Outcome, RevisionState};
use crate::{Error, Migration, Result};
use migrate_core::effects::{Effects, TransactionNeed};
use migrate_core::expression::Expression;
use migrate_core::name::QualifiedName;
use migrate_core::operation::{Operate as _, Operation};
use migrate_core::ops::Batched;
use migrate_core::schema::{Origin, Schema};
use migrate_core::sqlite::{self, SqliteStep, Unsupported};
use migrate_core::step::Dialect;
use migrate_core::verdict::{Answers, Change, Question, Verdict};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{Connection as _, SqliteConnection};
use std::borrow::Cow;

/// An SQLite database.
#[derive(Debug)]
pub(crate) struct Sqlite {
    /// None, as long as there is no file to open.
    pub(super) connection: Option<SqliteConnection>,
    pub(super) connect: SqliteConnectOptions,
    pub(super) options: Options,
    /// How the session is set outside of our transactions.
    pub(super) settings: Settings,
    /// The transaction that is open.
    pub(super) open: Option<Open>,
    /// What the history that the engine plans with rests on.
    pub(super) mark: Mark,
    /// The row of this run in the journal.
    pub(super) run_id: i64,
    /// The waits for locks that aren't in the journal yet.
    pub(super) waits: Vec<Waited>,
}

impl Sqlite {
    /// Opens the database, if there is one. Until [`guard`](Backend::guard) nothing can be written.
    pub(crate) async fn connect(connect: SqliteConnectOptions, options: Options) -> Result<Self> {
        let mut backend = Self {
            connection: None,
            connect,
            options,
            settings: Settings::default(),
            open: None,
            mark: Mark::default(),
            run_id: 0,
            waits: Vec::new(),
        };
        backend.connection = connect::connect_if_exists(&backend.connect, backend.options.guard_wait).await?;
        if backend.connection.is_some() {
            backend.raw("pragma query_only = on").await?;
        }
        Ok(backend)
    }

    /// Ends the session properly.
    pub(crate) async fn close(self) {
        if let Some(connection) = self.connection {
            // the work is done: a farewell that isn't heard changes nothing
            let _ = connection.close().await;
        }
    }

    pub(super) fn connection(&mut self) -> Result<&mut SqliteConnection> {
        let target = connect::target(&self.connect);
        self.connection.as_mut().ok_or_else(|| Error::Connect {
            target,
            reason: "there is no such file".to_owned(),
            help: "run `up`, which makes it, or correct the path in the URL".to_owned(),
        })
    }

    /// The live schema, in the transaction that is open, or in one of its own.
    pub(super) async fn snapshot_here(&mut self) -> Result<Schema> {
        let Some(connection) = &mut self.connection else { return Ok(Schema::default()) };
        let mut schema = catalog::snapshot(connection).await.map_err(|error| failed("reading the schema", error))?;
        let ours = |name: &QualifiedName| name.name.as_str().starts_with("_migrate_");
        schema.tables.retain(|name, _| !ours(name));
        schema.views.retain(|name, _| !ours(name));
        Ok(schema)
    }

    /// Reads the journal in one transaction.
    async fn read_history(&mut self) -> Result<History> {
        if self.open.is_some() {
            let history = journal::history(self.connection()?).await?;
            // nobody can change any more what it rests on
            self.mark = self.current_mark().await?;
            return Ok(history);
        }
        self.raw("begin").await?;
        let history = journal::history(self.connection()?).await;
        self.raw("rollback").await?;
        history
    }
}

impl Rules for Sqlite {
    fn project(model: &Schema) -> Cow<'_, Schema> {
        Cow::Owned(sqlite::project(model))
    }

    fn advance(model: &mut Schema, operation: &Operation, origin: &Origin) -> Vec<Change> {
        let before = model.clone();
        operation.apply(model, origin);
        sqlite::changes(operation, &before, model)
    }

    fn verdict(operation: &Operation, changes: &[Change], model: &Schema, live: &Schema, _answers: &Answers) -> Verdict {
        sqlite::verdict(operation, changes, model, live)
    }

    fn render(operation: &Operation, native: bool, model: &Schema, live: &Schema) -> Result<Rendered, Unsupported> {
        if let (Operation::Opaque(opaque), true) = (operation, native) {
            let transaction = if opaque.kind == "vacuum" { TransactionNeed::Outside } else { TransactionNeed::Inside };
            let effects = Some(Effects::unknown(transaction));
            return Ok(Rendered { sql: vec![opaque.sql.sql().to_owned()], effects, ..Rendered::default() });
        }
        let before = sqlite::overlay(model, live);
        if let Operation::Backfill(backfill) = operation {
            let batched = if native { Batched::of(backfill) } else { sqlite::batched(backfill, &before)? };
            let effects = Some(Effects::unknown(TransactionNeed::Outside));
            return Ok(Rendered { sql: batched.whole().into_iter().collect(), effects, live: None, batched: Some(batched) });
        }
        let mut after = before.clone();
        operation.apply(&mut after, &Origin::default());
        let steps = sqlite::plan(operation, &before, &after)?;
        let rebuilt = steps.iter().filter_map(|step| match step {
            SqliteStep::Rebuild { table, .. } => Some(QualifiedName::public(table.as_str())),
            SqliteStep::Statement(_) => None,
        });
        // a writer locks the whole file, whatever it does
        let effects =
            Effects { locks: Vec::new(), rewrites: rebuilt.collect(), transaction: TransactionNeed::Inside, ..operation.effects(model) };
        let sql = steps.iter().flat_map(SqliteStep::statements).cloned().collect();
        Ok(Rendered { sql, effects: Some(effects), live: Some(sqlite::project(&after)), batched: None })
    }
}

impl Backend for Sqlite {
    fn dialect(&self) -> Dialect {
        Dialect::Sqlite
    }

    fn target(&self) -> String {
        let target = connect::target(&self.connect);
        if self.connection.is_some() { target } else { format!("{target} (no database there yet)") }
    }

    async fn history(&mut self) -> Result<History> {
        if self.connection.is_none() {
            return Ok(History::default());
        }
        let mut wait = Wait::new(self.options.guard_wait);
        loop {
            match self.read_history().await {
                Ok(history) => return Ok(history),
                Err(error) => self.wait_to_read(error, &mut wait).await?,
            }
        }
    }

    async fn outcomes(&mut self, revision: &str) -> Result<Vec<OperationRow>> {
        let mut wait = Wait::new(self.options.guard_wait);
        loop {
            match journal::outcomes(self.connection()?, revision).await {
                Ok(rows) => return Ok(rows),
                Err(error) => self.wait_to_read(error, &mut wait).await?,
            }
        }
    }

    async fn guard(&mut self, command: &str) -> Result<Guarded> {
        if command == "down" && self.connection.is_none() {
            return Ok(Guarded { history: History::default() });
        }
        if self.connection.is_none() {
            self.connection = Some(connect::connect(&self.connect, true, self.options.guard_wait).await?);
        }
        self.raw("pragma query_only = off").await?;
        self.settings = Settings::read(self.connection()?).await.map_err(|error| failed("reading the settings", error))?;
        let mut wait = Wait::new(self.options.guard_wait);
        loop {
            if !self.begin(wait.left(), false, None).await? {
                return Err(Error::Locked { holder: self.writer(), waited: wait.waited() });
            }
            let opened = match self.open_journal(command).await {
                Ok(history) => self.commit().await.map(|()| history),
                Err(error) => {
                    self.rollback().await?;
                    return Err(error);
                }
            };
            match opened {
                Ok(history) => return Ok(Guarded { history }),
                Err(error) => {
                    self.rollback().await?;
                    self.step_back(error, "creating the journal", &mut wait).await?;
                }
            }
        }
    }

    async fn reconnect(&mut self) -> Result<()> {
        // a file that can't be read or written any more is not helped by opening it again
        Err(Error::lost("a file has no other side to ask"))
    }

    async fn release(&mut self) -> Result<()> {
        self.rollback().await
    }

    async fn snapshot(&mut self) -> Result<Schema> {
        let mut wait = Wait::new(self.options.guard_wait);
        loop {
            match self.snapshot_here().await {
                Ok(schema) => return Ok(schema),
                Err(error) => self.wait_to_read(error, &mut wait).await?,
            }
        }
    }

    async fn answer(&mut self, questions: &[Question]) -> Result<Vec<bool>> {
        // SQLite keeps expressions as they were written, so their tokens are all there is to compare
        let same = |question: &Question| Expression::new(&question.model).canonical() == Expression::new(&question.live).canonical();
        Ok(questions.iter().map(same).collect())
    }

    async fn passed(&mut self, place: &CursorPlace) -> Result<Passed> {
        let cursor = cursor::read(place, self.connection()?).await?;
        Ok(Passed { rows: cursor.map_or(0, |cursor| cursor.passed), forget: cursor::forget(place) })
    }

    async fn execute(&mut self, work: &mut Work) -> Result<(), Failure> {
        self.run(work).await
    }

    fn can_be_sent_ahead(_work: &Work) -> bool {
        // a file answers at once
        false
    }

    async fn execute_together(&mut self, _works: &[Work], _hears: Hears<'_>) -> Together {
        Together { sent: 0, done: 0, lost: None }
    }

    async fn roll_back(&mut self) -> Result<()> {
        self.rollback().await
    }

    async fn record_failure(&mut self, migration: &Migration, direction: Direction, failure: &Failure) -> Result<bool> {
        let Some(Told { place, message, verdict, code, sql }) = failure.told() else { return Ok(true) };
        let row = journal::Row { place, verdict, outcome: Outcome::Failed, evidence: message, sql, code, took: None };
        let entry = Entry::Failure(migration.revision, direction, row);
        // whoever has the lock is what the failure is about
        let locked = matches!(failure, Failure::Transient { .. });
        let wait = if locked { self.options.lock_timeout } else { self.options.guard_wait };
        let recorded = self.write("writing the failure to the journal", wait, false, &entry).await;
        match recorded.map_err(|failure| failure.into_error(false, false)) {
            Ok(()) => Ok(true),
            Err(Error::Locked { .. }) if locked => Ok(false),
            Err(error) => Err(error),
        }
    }

    async fn record_revisions(&mut self, migrations: &[&Migration], state: RevisionState) -> Result<(), Failure> {
        self.write("recording revisions", self.options.guard_wait, true, &Entry::Revisions(migrations, state)).await
    }

    async fn forget_revision(&mut self, migration: &Migration) -> Result<(), Failure> {
        self.write("forgetting a revision", self.options.guard_wait, true, &Entry::Forget(migration)).await
    }
}

impl Sqlite {
    /// Creates the journal if there is none, or brings it up to date, notes the run, and reads the history, all in the open
    /// transaction.
    async fn open_journal(&mut self, command: &str) -> Result<History> {
        // a newer format must be refused before anything of ours is written
        let found = journal::history(self.connection()?).await?.format;
        let doing = if found.is_some() { "bringing the journal up to date" } else { "creating the journal" };
        format::bootstrap(self.connection()?, found).await.map_err(|error| failed(doing, error))?;
        let run = journal::begin_run(self.connection()?, command).await;
        self.run_id = run.map_err(|error| failed("noting the run in the journal", error))?;
        self.read_history().await
    }
}
