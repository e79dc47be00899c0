//! The format of the journal's tables: what makes them, and what brings those of an older format up to date.

use super::cursor;
use crate::{Error, Result};
use sqlx::{AssertSqlSafe, SqliteConnection};

/// Whether `o` is the last word on its operation, since the revision was last reversed. `down` counts its own. With an
/// argument, only rows called `latest` of which it is true count.
macro_rules! last_word {
    () => {
        crate::sqlite::format::last_word!("true")
    };
    ($counts:literal) => {
        concat!(
            "o.id = (
            select max(latest.id) from _migrate_operations as latest
            where latest.revision = o.revision and latest.number = o.number and latest.outcome <> 'failed'
                and (latest.direction = 'down') = (o.direction = 'down') and ",
            $counts,
            ")
        and case when o.direction = 'down'
            then not exists (select 1 from _migrate_operations as done where done.revision = o.revision and done.outcome <> 'failed'
                and done.direction <> 'down' and done.id > o.id)
            else not exists (select 1 from _migrate_operations as reversed where reversed.revision = o.revision
                and reversed.outcome <> 'failed' and reversed.direction = 'down' and reversed.id > o.id
                and exists (select 1 from _migrate_operations as done where done.revision = o.revision and done.outcome <> 'failed'
                    and done.direction <> 'down' and done.id > reversed.id)) end"
        )
    };
}
pub(super) use last_word;

/// The format of the tables that this version writes.
const FORMAT: i32 = 3;

const NOW: &str = "strftime('%Y-%m-%d %H:%M:%f', 'now')";

const VERDICT: &str = "verdict text check (verdict in ('before', 'after', 'absent', 'conflict'))";

/// The format of the journal that is there, if there is one. One that nobody here knows is refused.
pub(super) async fn found(connection: &mut SqliteConnection) -> Result<Option<i32>> {
    let failed = |error| super::failed("reading the journal", error);
    let exists = sqlx::query("select 1 from sqlite_schema where type = 'table' and name = '_migrate_format'");
    if exists.fetch_optional(&mut *connection).await.map_err(failed)?.is_none() {
        return Ok(None);
    }
    let format: Option<i32> =
        sqlx::query_scalar("select max(version) from _migrate_format").fetch_one(&mut *connection).await.map_err(failed)?;
    let (problem, help) = match format {
        Some(1..=FORMAT) => return Ok(format),
        Some(format) => (
            format!("the journal has format {format}, and this binary knows formats up to {FORMAT}"),
            "use the version of the tool that wrote it, or a newer one",
        ),
        None => (
            "`_migrate_format` is empty, so that nobody knows which format the journal has".to_owned(),
            "insert its version: 2 where `_migrate_operations` has a column `verdict`, otherwise 1; `up` brings it up to date",
        ),
    };
    Err(Error::History { problem, help: help.to_owned() })
}

/// Makes the tables what this version writes, in the open transaction, whose lock keeps every other migrator out.
pub(super) async fn bootstrap(connection: &mut SqliteConnection, found: Option<i32>) -> sqlx::Result<()> {
    let sql = match found {
        None => format!("{};\n{};\n{VIEWS}", tables(), waits()),
        Some(1) => format!("{};\n{};\n{VIEWS}", from_format_1(), waits()),
        Some(2) => format!("{FROM_FORMAT_2};\n{VIEWS}"),
        // nothing is touched: a change of the schema would have others plan anew
        Some(_) => return Ok(()),
    };
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(connection).await.map(drop)
}

fn tables() -> String {
    format!(
        "create table _migrate_format (version integer not null);
insert into _migrate_format values ({FORMAT});
create table _migrate_runs (
    id integer primary key autoincrement,
    command text not null,
    started_at text not null default ({NOW}),
    process_id integer not null,
    sqlite_version text not null default (sqlite_version()),
    tool_version text not null,
    application text,
    os_user text,
    host text
);
create table _migrate_revisions (
    position integer primary key autoincrement,
    revision text not null unique,
    name text not null,
    checksum text not null,
    state text not null check (state in ('applied', 'started', 'stamped')),
    recorded_at text not null default ({NOW}),
    run integer not null references _migrate_runs (id)
);
create table _migrate_operations (
    id integer primary key autoincrement,
    run integer not null references _migrate_runs (id),
    revision text not null,
    direction text not null check (direction in ('up', 'replay', 'down')),
    number integer not null,
    operation text not null,
    outcome text not null check (outcome in ('applied', 'satisfied', 'skipped', 'started', 'failed', 'reverted')),
    evidence text not null default '',
    sql text not null default '',
    file text not null,
    line integer not null,
    sqlstate text,
    recorded_at text not null default ({NOW}),
    {VERDICT},
    duration_ms integer
);
create index _migrate_operations_latest on _migrate_operations (revision, number, id desc);
{}",
        cursor::TABLE
    )
}

/// Format 1 didn't say what was found, how long anything took, and who did it. Some journals of it know changes in batches.
fn from_format_1() -> String {
    format!(
        "drop view if exists _migrate_skipped;
alter table _migrate_runs add column application text;
alter table _migrate_runs add column os_user text;
alter table _migrate_runs add column host text;
alter table _migrate_operations add column {VERDICT};
alter table _migrate_operations add column duration_ms integer;
{};
update _migrate_format set version = {FORMAT}",
        cursor::TABLE
    )
}

/// In format 2, the last word on an operation could be one of an earlier life of its revision.
const FROM_FORMAT_2: &str = "drop view if exists _migrate_log;
drop view if exists _migrate_skipped;
drop view if exists _migrate_latest;
update _migrate_format set version = 3";

fn waits() -> String {
    format!(
        "create table _migrate_waits (
    run integer not null references _migrate_runs (id),
    revision text,
    direction text,
    waited_ms integer not null,
    waited_for text not null,
    blockers text not null,
    recorded_at text not null default ({NOW})
)"
    )
}

/// What people read: all that happened, the last word on every operation, and what is skipped for now.
const VIEWS: &str = concat!(
    "create view _migrate_log as
    select o.recorded_at, o.revision, o.direction, o.number, o.operation, o.verdict, o.outcome, o.evidence,
        o.duration_ms, o.sqlstate, o.file, o.line, o.sql, o.run, r.command, r.started_at,
        r.os_user, r.host, r.process_id, r.application, r.sqlite_version, r.tool_version
    from _migrate_operations as o
    join _migrate_runs as r on r.id = o.run
    order by o.id;
create view _migrate_latest as
    select o.revision, o.number, o.operation, o.direction, o.verdict, o.outcome, o.evidence, o.file, o.line, o.recorded_at, o.run
    from _migrate_operations as o
    where o.number > 0 and ",
    last_word!(),
    "
    order by o.revision, o.direction = 'down', o.number;
create view _migrate_skipped as
    select latest.revision, latest.number, latest.operation, latest.evidence, latest.file, latest.line, latest.recorded_at
    from _migrate_latest as latest join _migrate_revisions as r on r.revision = latest.revision and r.state <> 'stamped'
    where latest.outcome = 'skipped' or latest.outcome = 'started' and latest.direction = 'replay'
    order by latest.revision, latest.number"
);
