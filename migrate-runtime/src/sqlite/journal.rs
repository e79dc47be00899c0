//! What is written to the journal's tables in SQLite, and read from them.
//!
//! They are PostgreSQL's, with a prefix for the schema that SQLite hasn't got. Times are text, in UTC.

use super::format::{self, last_word};
use super::waited::Purpose;
use super::who::Who;
use crate::engine::{Direction, Planned, milliseconds};
use crate::error::Place;
use crate::history::{History, OperationRow, Outcome, RevisionRow, RevisionState};
use crate::{Error, Migration, Result};
use indexmap::IndexMap;
use sqlx::{Row as _, SqliteConnection};
use std::time::Duration;

/// Notes a run and gives its number.
pub(super) async fn begin_run(connection: &mut SqliteConnection, command: &str) -> sqlx::Result<i64> {
    let who = Who::ask();
    sqlx::query("insert into _migrate_runs (command, process_id, tool_version, application, os_user, host) values (?, ?, ?, ?, ?, ?)")
        .bind(command)
        .bind(i64::from(std::process::id()))
        .bind(env!("CARGO_PKG_VERSION"))
        .bind(who.application)
        .bind(who.user)
        .bind(who.host)
        .execute(connection)
        .await
        .map(|done| done.last_insert_rowid())
}

/// What the journal says; nothing where there is none.
pub(super) async fn history(connection: &mut SqliteConnection) -> Result<History> {
    let failed = |error| super::failed("reading the journal", error);
    let format = format::found(connection).await?;
    if format.is_none() {
        return Ok(History::default());
    }
    let rows = sqlx::query("select revision, name, checksum, state, substr(recorded_at, 1, 19) from _migrate_revisions order by position");
    let mut revisions = IndexMap::new();
    for row in rows.fetch_all(&mut *connection).await.map_err(failed)? {
        let text = |i: usize| row.try_get::<String, _>(i).map_err(failed);
        let state = RevisionState::parse(&text(3)?)?;
        let row = RevisionRow { revision: text(0)?, name: text(1)?, checksum: text(2)?, state, recorded_at: text(4)? };
        revisions.insert(row.revision.clone(), row);
    }
    let latest = concat!(
        "select o.revision, o.number, o.operation, o.outcome, o.evidence, o.direction = 'down'
        from _migrate_operations as o join _migrate_revisions as r on r.revision = o.revision
        where (o.outcome = 'skipped' and r.state = 'applied' or r.state = 'started') and ",
        // what is skipped stays so until it has been done late
        last_word!("not (latest.outcome = 'started' and latest.direction = 'replay')"),
        " order by o.id"
    );
    let rows = sqlx::query(latest).fetch_all(&mut *connection).await.map_err(failed)?;
    Ok(History { format, revisions, operations: operation_rows(&rows)? })
}

/// The latest word on every operation of one revision, since it was last reversed, and of the way back.
pub(super) async fn outcomes(connection: &mut SqliteConnection, revision: &str) -> Result<Vec<OperationRow>> {
    let latest = concat!(
        "select o.revision, o.number, o.operation, o.outcome, o.evidence, o.direction = 'down' from _migrate_operations as o
        where o.revision = ? and ",
        last_word!(),
        " order by o.number"
    );
    let rows = sqlx::query(latest).bind(revision).fetch_all(connection).await;
    operation_rows(&rows.map_err(|error| super::failed("reading the journal", error))?)
}

fn operation_rows(rows: &[sqlx::sqlite::SqliteRow]) -> Result<Vec<OperationRow>> {
    let failed = |error| super::failed("reading the journal", error);
    let read = |row: &sqlx::sqlite::SqliteRow| {
        let text = |i: usize| row.try_get::<String, _>(i).map_err(failed);
        let number: i64 = row.try_get(1).map_err(failed)?;
        let number = usize::try_from(number)
            .map_err(|_| Error::Format { doing: "reading the journal", reason: format!("an operation has the number {number}") })?;
        let reverses = row.try_get(5).map_err(failed)?;
        let outcome = Outcome::parse(&text(3)?)?;
        Ok(OperationRow { revision: text(0)?, number, operation: text(2)?, reverses, outcome, evidence: text(4)? })
    };
    rows.iter().map(read).collect()
}

/// What a plan rests on: another one means that somebody has changed the schema or the journal.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Mark {
    /// Counts changes of the schema.
    pub(super) schema_version: i64,
    /// The last operation that counts, and the revisions.
    journal: String,
}

/// Reads the mark.
pub(super) async fn mark(connection: &mut SqliteConnection) -> sqlx::Result<Mark> {
    let schema_version = sqlx::query_scalar("pragma schema_version").fetch_one(&mut *connection).await?;
    let journal = sqlx::query_scalar(
        "select json_array(
            (select coalesce(max(id), 0) from _migrate_operations where outcome <> 'failed'),
            (select json_group_array(json_array(revision, state)) from (select revision, state from _migrate_revisions order by position)))",
    );
    Ok(Mark { schema_version, journal: journal.fetch_one(connection).await? })
}

/// A row to be journalled.
pub(super) struct Row<'a> {
    pub(super) place: &'a Place,
    /// What was found, where something was compared.
    pub(super) verdict: Option<&'static str>,
    pub(super) outcome: Outcome,
    pub(super) evidence: &'a str,
    pub(super) sql: &'a str,
    pub(super) code: Option<&'a str>,
    /// How long it took, where it was run.
    pub(super) took: Option<Duration>,
}

impl<'a> Row<'a> {
    /// What became of a step that was not run alone to fail.
    pub(super) fn of(planned: &'a Planned, outcome: Outcome, evidence: &'a str, sql: &'a str) -> Self {
        Self { place: &planned.place, verdict: planned.verdict(), outcome, evidence, sql, code: None, took: None }
    }

    /// It was run, and took that long.
    pub(super) fn timed(self, took: Option<Duration>) -> Self {
        Self { took, ..self }
    }
}

/// Records what became of an operation.
pub(super) async fn record(
    connection: &mut SqliteConnection,
    run: i64,
    revision: &str,
    direction: Direction,
    row: &Row<'_>,
) -> sqlx::Result<()> {
    sqlx::query(
        "insert into _migrate_operations
            (run, revision, direction, number, operation, verdict, outcome, evidence, sql, file, line, sqlstate, duration_ms)
         values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(run)
    .bind(revision)
    .bind(direction.as_str())
    .bind(i64::try_from(row.place.number).unwrap_or(i64::MAX))
    .bind(row.place.operation.as_str())
    .bind(row.verdict)
    .bind(row.outcome.as_str())
    .bind(row.evidence)
    .bind(row.sql)
    .bind(row.place.file.as_str())
    .bind(i64::from(row.place.line))
    .bind(row.code)
    .bind(row.took.map(|took| i64::try_from(milliseconds(took)).unwrap_or(i64::MAX)))
    .execute(connection)
    .await
    .map(drop)
}

/// Records a revision, or how far it has come. Once it is done, how far its changes in batches had come counts no more: what
/// is skipped then begins anew.
pub(super) async fn record_revision(
    connection: &mut SqliteConnection,
    run: i64,
    migration: &Migration,
    state: RevisionState,
) -> sqlx::Result<()> {
    if state != RevisionState::Started {
        forget_cursors(connection, migration).await?;
    }
    sqlx::query(
        "insert into _migrate_revisions (revision, name, checksum, state, run) values (?, ?, ?, ?, ?)
         on conflict (revision) do update set state = excluded.state, checksum = excluded.checksum, name = excluded.name, run = excluded.run",
    )
    .bind(migration.revision)
    .bind(migration.name)
    .bind(migration.checksum)
    .bind(state.as_str())
    .bind(run)
    .execute(connection)
    .await
    .map(drop)
}

/// Forgets how far its changes in batches have come.
async fn forget_cursors(connection: &mut SqliteConnection, migration: &Migration) -> sqlx::Result<()> {
    sqlx::query("delete from _migrate_backfills where revision = ?").bind(migration.revision).execute(connection).await.map(drop)
}

/// Forgets a revision. What was done for it stays in the log of operations.
pub(super) async fn forget_revision(connection: &mut SqliteConnection, run: i64, migration: &Migration) -> sqlx::Result<()> {
    let border = "insert into _migrate_operations (run, revision, direction, number, operation, outcome, file, line)
        select ?, ?2, 'down', 0, 'forget the revision', 'reverted', ?3, 0
        where not exists (select 1 from _migrate_operations as back
            where back.revision = ?2 and back.direction = 'down' and back.outcome <> 'failed'
            and not exists (select 1 from _migrate_operations as done where done.revision = ?2 and done.direction <> 'down'
                and done.outcome <> 'failed' and done.id > back.id))";
    sqlx::query(border).bind(run).bind(migration.revision).bind(migration.file).execute(&mut *connection).await?;
    forget_cursors(connection, migration).await?;
    sqlx::query("delete from _migrate_revisions where revision = ?").bind(migration.revision).execute(connection).await.map(drop)
}

/// What is written in a transaction of its own.
pub(super) enum Entry<'a> {
    /// A failure, whose own transaction was rolled back: of a revision, on the way in this direction.
    Failure(&'static str, Direction, Row<'a>),
    /// Revisions that nothing is run for.
    Revisions(&'a [&'a Migration], RevisionState),
    /// A revision is forgotten.
    Forget(&'a Migration),
}

impl Entry<'_> {
    /// What its transaction is for; `None`: for several revisions at once.
    pub(super) fn purpose(&self) -> Option<Purpose> {
        match self {
            Self::Failure(revision, direction, _) => Some(Purpose { revision, direction: *direction }),
            Self::Revisions(..) => None,
            Self::Forget(migration) => Some(Purpose { revision: migration.revision, direction: Direction::Down }),
        }
    }

    pub(super) async fn write(&self, connection: &mut SqliteConnection, run: i64) -> sqlx::Result<()> {
        match self {
            Self::Failure(revision, direction, row) => record(connection, run, revision, *direction, row).await,
            Self::Revisions(migrations, state) => {
                for migration in *migrations {
                    record_revision(connection, run, migration, *state).await?;
                }
                Ok(())
            }
            Self::Forget(migration) => forget_revision(connection, run, migration).await,
        }
    }
}
