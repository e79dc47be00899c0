//! PostgreSQL as the engine sees it.

use super::blockers::Guard;
use super::journal::{FORMAT, Identity, Measured};
use super::remains::last_text;
use super::sizes::Seen;
use super::together::can_be_sent_ahead;
use super::{catalog, connect, cursor, journal, normalize, sessions};
use crate::engine::{
    Backend, Blocker, CursorPlace, Direction, Failure, Guarded, Hears, Open, Options, Passed, Rendered, Rules, Sizes, Together, Work,
};
use crate::history::{History, OperationRow, Outcome, RevisionRow, RevisionState};
use crate::{Error, Event, Migration, Result};
use migrate_core::operation::{Operate as _, Operation};
use migrate_core::ops::Batched;
use migrate_core::schema::{Origin, Schema};
use migrate_core::sqlite::Unsupported;
use migrate_core::step::Dialect;
use migrate_core::verdict::{Answers, Change, Question, Verdict, advance, verdict};
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, Row as _};
use std::borrow::Cow;
use std::time::{Duration, Instant};

/// The search path of everything that is run. `pg_catalog` is searched first without being named; temporary objects can't
/// shadow anything.
pub(super) const SEARCH_PATH: &str = "public, pg_temp";

/// The longest that the server takes for a timeout, in milliseconds.
const MAX_TIMEOUT: u128 = 2_147_483_647;

/// How long an attempt to connect anew may take at least, however little time is left.
const SHORTEST_ATTEMPT: Duration = Duration::from_secs(2);

/// Switches off the timeout of whole transactions, which PostgreSQL has since 17: for the transaction, or for the session.
pub(super) fn no_transaction_timeout(local: bool) -> String {
    format!(
        "case when pg_catalog.current_setting('transaction_timeout', true) is not null \
         then pg_catalog.set_config('transaction_timeout', '0', {local}) end"
    )
}

/// The key of the advisory lock: `migrate` in ASCII, cut to eight bytes.
const GUARD_KEY: i64 = 0x006d_6967_7261_7465;

/// Whether this role may use the journal; nothing where there is none. Somebody may have made the schema beforehand, for a
/// role that may not make one.
const JOURNAL: &str = "select (select pg_catalog.has_schema_privilege(n.oid, 'usage') from pg_catalog.pg_namespace as n \
    join pg_catalog.pg_class as c on c.relnamespace = n.oid and c.relname = 'format' where n.nspname = '_migrate')::text";

/// A PostgreSQL database, connected.
#[derive(Debug)]
pub(crate) struct Postgres {
    pub(super) connection: PgConnection,
    connect: PgConnectOptions,
    pub(super) options: Options,
    /// An idle transaction that holds the advisory lock.
    pub(super) guard: Option<Guard>,
    /// The key of a lock that only our guard's transaction holds: who gets it knows that the guard is gone.
    pub(super) guard_key: i64,
    /// Who stood in the way of the last statement that waited for a lock.
    pub(super) blockers: Vec<Blocker>,
    /// Which server the guard was taken on.
    identity: Option<Identity>,
    /// The format of the journal, when it was last read.
    format: Option<i32>,
    /// Whether a pooler is between us and the server, as far as that was asked.
    pooled: Option<bool>,
    /// What was measured and isn't in the journal yet.
    pub(super) measured: Vec<Measured>,
    /// How large the tables are.
    seen: Seen,
    /// The row of this run in the journal.
    pub(super) run_id: i64,
    /// Whether a transaction is open on the main connection.
    pub(super) in_transaction: bool,
    /// What was done in it.
    pub(super) open: Open,
    /// How many savepoints the open transaction has written in.
    pub(super) savepoints_used: usize,
}

impl Postgres {
    pub(crate) async fn connect(connect: PgConnectOptions, options: Options) -> Result<Self> {
        let connection = connect::connect(&connect).await?;
        Ok(Self {
            connection,
            connect,
            options,
            guard: None,
            guard_key: 0,
            blockers: Vec::new(),
            identity: None,
            format: None,
            pooled: None,
            measured: Vec::new(),
            seen: Seen::default(),
            run_id: 0,
            in_transaction: false,
            open: Open::default(),
            savepoints_used: 0,
        })
    }

    /// Ends the session properly.
    pub(crate) async fn close(self) {
        // the work is done: a farewell that isn't heard changes nothing
        let _ = self.connection.close().await;
    }

    /// A new connection to a server that can be written to. A standby that is about to take over can't yet.
    async fn connect_to_primary(&self) -> Result<PgConnection> {
        let mut connection = connect::connect(&self.connect).await?;
        let doing = "asking whether the server can be written to";
        let standby = Self::text(&mut connection, doing, "select pg_catalog.pg_is_in_recovery()::text").await?;
        if standby.as_deref() == Some("true") {
            return Err(Error::Connect {
                target: self.target(),
                reason: "the server is a standby, which can't be written to".to_owned(),
                help: "connect to the primary".to_owned(),
            });
        }
        Ok(connection)
    }

    pub(super) async fn text(connection: &mut PgConnection, doing: &'static str, sql: &str) -> Result<Option<String>> {
        let row = sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).fetch_optional(connection).await;
        let row = row.map_err(|error| Error::server(doing, error))?;
        row.map_or(Ok(None), |row| row.try_get::<Option<String>, _>(0).map_err(|error| Error::server(doing, error)))
    }

    /// The live schema, in the transaction that is open, or in one of its own.
    pub(super) async fn snapshot_here(&mut self) -> Result<Schema> {
        let limit = self.options.large_table;
        let read = catalog::snapshot_with(&mut self.connection, self.in_transaction, super::sizes::query(limit)).await;
        let (schema, sizes) = read.map_err(catalog_error)?;
        self.seen.take(&sizes, limit).map_err(|error| catalog_error(error.into()))?;
        Ok(schema)
    }

    /// Takes the lock in an idle transaction of its own: it goes with the socket, and doesn't hold a snapshot that a
    /// concurrent index build would wait for. Polled: waiting for it would hold one.
    async fn take_guard(&mut self) -> Result<()> {
        let mut guard = connect::connect(&self.connect).await?;
        let started = Instant::now();
        let mut pause = Duration::from_millis(50);
        self.guard_key = fastrand::i64(..);
        let begin = format!(
            "begin isolation level read committed; \
             select pg_catalog.set_config('idle_in_transaction_session_timeout', '0', true), {}, \
             pg_catalog.pg_advisory_xact_lock({}); \
             select pg_catalog.pg_try_advisory_xact_lock({GUARD_KEY})::text",
            no_transaction_timeout(true),
            self.guard_key
        );
        loop {
            let rows = sqlx::raw_sql(AssertSqlSafe(begin.clone())).fetch_all(&mut guard).await;
            let rows = rows.map_err(|error| Error::server("taking the migration lock", error))?;
            let taken = rows.last().and_then(|row| row.try_get::<String, _>(0).ok());
            if taken.as_deref() == Some("true") {
                self.guard = Some(Guard::new(guard, self.connect.clone()));
                return Ok(());
            }
            // a concurrent build that looks for old snapshots while this one asks waits for the end of its transaction
            let ended = sqlx::raw_sql("rollback").execute(&mut guard).await;
            ended.map_err(|error| Error::server("taking the migration lock", error))?;
            let holder = self.holder().await?;
            if started.elapsed() >= self.options.guard_wait {
                return Err(Error::Locked { holder, waited: started.elapsed() });
            }
            self.options.tell(&Event::WaitingForLock { holder });
            // replicas that start together must not look together: between two looks the lock would be nobody's
            tokio::time::sleep(pause.mul_f64(0.5 + fastrand::f64())).await;
            pause = (pause * 2).min(Duration::from_millis(250));
        }
    }

    /// Whether a pooler gives the sessions of the server to others between our transactions: then another connection gets
    /// the one that this one had last. What is set for a session would be set for them, and lost for us.
    pub(super) async fn is_pooled(&mut self) -> Result<bool> {
        if let Some(known) = self.pooled {
            return Ok(known);
        }
        let (doing, pid) = ("looking for a pooler", "select pg_catalog.pg_backend_pid()::text");
        let mut other = connect::connect(&self.connect).await?;
        let mut pooled = false;
        // somebody else may come in between
        for _ in 0..3 {
            let ours = Self::text(&mut self.connection, doing, pid).await?;
            pooled |= Self::text(&mut other, doing, pid).await? == ours;
        }
        // a farewell that isn't heard changes nothing
        let _ = other.close().await;
        self.pooled = Some(pooled);
        Ok(pooled)
    }

    /// Which server it is; `None` where the role may not ask.
    async fn identify(&mut self) -> Result<Option<Identity>> {
        match Self::text(&mut self.connection, "asking which server this is", Identity::SQL).await {
            Ok(text) => Ok(text.as_deref().and_then(Identity::parse)),
            Err(error) if error.sqlstate().as_deref() == Some("42501") => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn holder(&mut self) -> Result<String> {
        let (high, low) = (GUARD_KEY >> 32, GUARD_KEY & 0xffff_ffff);
        let sql = format!(
            "select 'pid ' || a.pid::text || ' of ' || coalesce(a.usename::text, '?') || ' (' || coalesce(nullif(a.application_name, ''), 'no name') \
             || coalesce(', from ' || pg_catalog.host(a.client_addr), '') || '), since ' || pg_catalog.to_char(a.xact_start at time zone 'UTC', 'HH24:MI:SS') || ' UTC' \
             from pg_catalog.pg_locks as l join pg_catalog.pg_stat_activity as a on a.pid = l.pid \
             where l.locktype = 'advisory' and l.granted and l.classid = {high}::oid and l.objid = {low}::oid and l.objsubid = 1::smallint \
             and l.database = (select oid from pg_catalog.pg_database where datname = pg_catalog.current_database()) limit 1"
        );
        let holder = Self::text(&mut self.connection, "asking who holds the migration lock", &sql).await?;
        Ok(holder.unwrap_or_else(|| "it has just ended".to_owned()))
    }

    /// What the answer to [`JOURNAL`] means: whether there is a journal.
    fn has_journal(answer: Option<&str>) -> Result<bool> {
        match answer {
            None => Ok(false),
            Some("true") => Ok(true),
            Some(_) => Err(Error::Server {
                doing: "reading the journal",
                message: "this role may not use the schema `_migrate`".to_owned(),
                sqlstate: Some("42501".to_owned()),
                help: "run `grant usage on schema _migrate` and `grant select on all tables in schema _migrate` for it, or use the role that created it"
                    .to_owned(),
            }),
        }
    }

    async fn read_history(&mut self) -> Result<History> {
        let sql = format!("{};\n{}", journal::WITHOUT_JIT, journal::HISTORY);
        let text = last_text(&mut self.connection, "reading the journal", sql).await?.unwrap_or_default();
        parse_history(&text)
    }
}

fn catalog_error(error: catalog::CatalogError) -> Error {
    match error {
        catalog::CatalogError::Database(error) => Error::server("reading the catalog", error),
        error @ catalog::CatalogError::Format(_) => Error::Format { doing: "reading the catalog", reason: error.to_string() },
    }
}

type OperationArray = (String, usize, String, bool, String, String);

#[derive(serde::Deserialize)]
struct HistoryText {
    format: Option<i32>,
    revisions: Vec<(String, String, String, String, String)>,
    operations: Vec<OperationArray>,
}

fn parse_history(text: &str) -> Result<History> {
    let read: HistoryText =
        serde_json::from_str(text).map_err(|error| Error::Format { doing: "reading the journal", reason: error.to_string() })?;
    if read.format.is_none() {
        return Err(Error::History {
            problem: "`_migrate.format` is empty, so that nobody knows which format the journal has".to_owned(),
            help: "insert its version: 4 where `_migrate.backfills` has a column `table_oid`, 3 where there is such a table, 2 where \
                   `_migrate.operations` has a column `verdict`, otherwise 1"
                .to_owned(),
        });
    }
    if let Some(format) = read.format.filter(|format| *format > FORMAT) {
        return Err(Error::History {
            problem: format!("the journal has format {format}, and this binary knows formats up to {FORMAT}"),
            help: "use the version of the tool that wrote it, or a newer one".to_owned(),
        });
    }
    let revisions = read.revisions.into_iter().map(|(revision, name, checksum, state, recorded_at)| {
        let state = RevisionState::parse(&state)?;
        Ok((revision.clone(), RevisionRow { revision, name, checksum, state, recorded_at }))
    });
    Ok(History { format: read.format, revisions: revisions.collect::<Result<_>>()?, operations: operation_rows(read.operations)? })
}

fn operation_rows(rows: Vec<OperationArray>) -> Result<Vec<OperationRow>> {
    let row = |(revision, number, operation, reverses, outcome, evidence): OperationArray| {
        Ok(OperationRow { revision, number, operation, reverses, outcome: Outcome::parse(&outcome)?, evidence })
    };
    rows.into_iter().map(row).collect()
}

/// What a person can do about an error of a migration's own statement.
pub(super) fn help_for(code: &str) -> &'static str {
    match code {
        "23502" => "fill the nulls (an `update` before it in the migration, or by hand), then run `up` again",
        "23505" => "remove or merge the duplicate rows, then run `up` again",
        "23503" => "remove the orphaned rows or add what they refer to, then run `up` again",
        "23514" => "correct the rows that violate the check, then run `up` again",
        "42501" => "grant the missing privilege to this role, or run `up` with a role that has it",
        "42P01" | "42703" | "42704" | "42883" | "3F000" => {
            "create what is missing in an earlier statement, or declare its table with `optional!` if only some deployments have it"
        }
        "42P07" | "42710" | "42701" | "42723" | "42P06" => "drop or rename what is in the way, then run `up` again",
        "2BP01" => "drop what depends on it first",
        "0A000" => "install what the server lacks, or change the statement",
        "55006" => {
            "write `set constraints all immediate` before it, if rows were written there that are checked at the commit; otherwise give it a migration of its own, then run `up` again"
        }
        "55P04" => "give the new value a migration of its own, before the one that uses it, then run `up` again",
        "53100" | "53200" => "give the server more disk or memory, then run `up` again",
        "57014" => "the statement was cancelled: run `up` again when the server has time for it",
        _ if code.starts_with("22") => "correct the data or the cast, then run `up` again",
        _ => "fix what the server says, then run `up` again",
    }
}

impl Rules for Postgres {
    fn project(model: &Schema) -> Cow<'_, Schema> {
        Cow::Borrowed(model)
    }

    fn advance(model: &mut Schema, operation: &Operation, origin: &Origin) -> Vec<Change> {
        advance(model, operation, origin)
    }

    fn verdict(operation: &Operation, changes: &[Change], model: &Schema, live: &Schema, answers: &Answers) -> Verdict {
        verdict(operation, changes, model, live, answers)
    }

    fn render(operation: &Operation, _native: bool, _model: &Schema, _live: &Schema) -> Result<Rendered, Unsupported> {
        if let Operation::Backfill(backfill) = operation {
            let batched = Batched::of(backfill);
            return Ok(Rendered { sql: batched.whole().into_iter().collect(), batched: Some(batched), ..Rendered::default() });
        }
        Ok(Rendered { sql: operation.render(), ..Rendered::default() })
    }
}

impl Backend for Postgres {
    fn dialect(&self) -> Dialect {
        Dialect::Postgres
    }

    fn target(&self) -> String {
        connect::target(&self.connect)
    }

    async fn history(&mut self) -> Result<History> {
        let answer = Self::text(&mut self.connection, "looking for the journal", JOURNAL).await?;
        let history = if Self::has_journal(answer.as_deref())? { self.read_history().await? } else { History::default() };
        self.format = history.format;
        Ok(history)
    }

    async fn outcomes(&mut self, revision: &str) -> Result<Vec<OperationRow>> {
        let sql = journal::outcomes(revision);
        let text = Self::text(&mut self.connection, "reading the journal", &sql).await?.unwrap_or_default();
        let rows =
            serde_json::from_str(&text).map_err(|error| Error::Format { doing: "reading the journal", reason: error.to_string() })?;
        operation_rows(rows)
    }

    async fn guard(&mut self, command: &str) -> Result<Guarded> {
        self.take_guard().await?;
        let answers = match self.wait_for_remains(&[JOURNAL, Identity::SQL]).await {
            // not every role may ask which server it is
            Err(error) if error.sqlstate().as_deref() == Some("42501") => self.wait_for_remains(&[JOURNAL]).await?,
            answers => answers?,
        };
        let answer = |number: usize| answers.get(number).and_then(Option::as_deref);
        self.identity = answer(1).and_then(Identity::parse);
        // a newer format must be refused before anything of ours is written
        let format = match (Self::has_journal(answer(0))?, self.format) {
            (false, _) => None,
            (true, Some(FORMAT)) => Some(FORMAT),
            (true, _) => self.read_history().await?.format,
        };
        // a journal that is brought up to date waits for whoever reads it
        let settings = format!(
            "{}, pg_catalog.set_config('lock_timeout', '{}ms', true)",
            journal::WITHOUT_JIT,
            self.options.guard_wait.as_millis().clamp(1, MAX_TIMEOUT)
        );
        let parts =
            [settings, journal::bootstrap(format), journal::begin_run(command, self.identity.as_ref()), journal::HISTORY.to_owned()];
        let sql = parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(";\n");
        let rows = sqlx::raw_sql(AssertSqlSafe(sql)).fetch_all(&mut self.connection).await;
        let doing = match format {
            None => "creating the journal (schema `_migrate`)",
            Some(_) => "bringing the journal up to date (schema `_migrate`)",
        };
        let rows = rows.map_err(|error| Error::server(doing, error))?;
        let column = |row: Option<&sqlx::postgres::PgRow>| row.and_then(|row| row.try_get::<String, _>(0).ok()).unwrap_or_default();
        let history = parse_history(&column(rows.last()))?;
        self.run_id = column(rows.len().checked_sub(2).and_then(|i| rows.get(i)))
            .parse()
            .map_err(|_| Error::Format { doing: "noting the run in the journal", reason: "the server gave no number".to_owned() })?;
        Ok(Guarded { history })
    }

    async fn reconnect(&mut self) -> Result<()> {
        self.guard = None;
        self.in_transaction = false;
        self.savepoints_used = 0;
        let began = Instant::now();
        let mut pause = Duration::from_millis(100);
        self.connection = loop {
            // an address that nobody answers at is an error after minutes only
            let left = self.options.reconnect_wait.saturating_sub(began.elapsed()).max(SHORTEST_ATTEMPT);
            let attempt = tokio::time::timeout(left, self.connect_to_primary()).await;
            match attempt.unwrap_or_else(|_| Err(connect::unanswered(&self.connect))) {
                Ok(connection) => break connection,
                Err(error) if began.elapsed() + pause >= self.options.reconnect_wait => return Err(error),
                Err(_) => tokio::time::sleep(pause).await,
            }
            pause = (pause * 2).min(Duration::from_secs(1));
        };
        let identity = self.identify().await?;
        if let (Some(before), Some(now)) = (&self.identity, &identity)
            && before.system != now.system
        {
            return Err(Error::Connect {
                target: self.target(),
                reason: format!(
                    "another cluster of databases answers there now, with the system identifier {} and not {}",
                    now.system, before.system
                ),
                help: "connect to the server that the migration was begun on".to_owned(),
            });
        }
        // sessions without a name are anybody's
        match self.connect.get_application_name().filter(|name| !name.is_empty()).map(str::to_owned) {
            Some(name) => sessions::end_others(&mut self.connection, &name).await,
            None => Ok(()),
        }
    }

    async fn release(&mut self) -> Result<()> {
        let measured = std::mem::take(&mut self.measured);
        let sql = journal::record_measured(self.run_id, &measured);
        if !sql.is_empty() {
            // all that was to be done is done: how long it took is not worth an error
            let _ = self.raw(&sql.join(";\n")).await;
        }
        if let Some(guard) = self.guard.take() {
            // closing the socket ends the transaction and with it the lock
            guard.end().await.map_err(|error| Error::server("giving the migration lock back", error))?;
        }
        Ok(())
    }

    async fn snapshot(&mut self) -> Result<Schema> {
        self.snapshot_here().await
    }

    fn sizes(&self) -> Option<Sizes> {
        Some(self.seen.sizes.clone())
    }

    async fn answer(&mut self, questions: &[Question]) -> Result<Vec<bool>> {
        normalize::answer(&mut self.connection, questions, self.in_transaction).await.map_err(catalog_error)
    }

    async fn passed(&mut self, place: &CursorPlace) -> Result<Passed> {
        let doing = "reading how far a backfill has come";
        let text = Self::text(&mut self.connection, doing, &cursor::passed(place)).await?;
        let rows =
            text.map_or(Ok(0), |text| text.parse().map_err(|_| Error::Format { doing, reason: format!("`{text}` is no number of rows") }))?;
        Ok(Passed { rows, forget: cursor::delete(place) })
    }

    async fn execute(&mut self, work: &mut Work) -> Result<(), Failure> {
        self.run(work).await
    }

    fn can_be_sent_ahead(work: &Work) -> bool {
        can_be_sent_ahead(work)
    }

    async fn execute_together(&mut self, works: &[Work], hears: Hears<'_>) -> Together {
        self.run_together(works, hears).await
    }

    async fn roll_back(&mut self) -> Result<()> {
        self.in_transaction = false;
        self.savepoints_used = 0;
        // harmless where no transaction is open: a warning of the server's
        self.raw("rollback").await
    }

    async fn record_failure(&mut self, migration: &Migration, direction: Direction, failure: &Failure) -> Result<bool> {
        let Some(told) = failure.told() else { return Ok(true) };
        let sql = journal::record_failure(self.run_id, migration.revision, direction, &told);
        self.raw(&sql).await.map(|()| true)
    }

    async fn record_revisions(&mut self, migrations: &[&Migration], state: RevisionState) -> Result<(), Failure> {
        let rows: Vec<String> = migrations.iter().map(|migration| journal::record_revision(self.run_id, migration, state)).collect();
        Ok(self.raw(&format!("begin;\n{};\ncommit", rows.join(";\n"))).await?)
    }

    async fn forget_revision(&mut self, migration: &Migration) -> Result<(), Failure> {
        Ok(self.raw(&journal::forget_revision(self.run_id, migration)).await?)
    }
}
