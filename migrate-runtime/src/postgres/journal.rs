//! The journal's tables in PostgreSQL, and what is written to them.

use super::blockers::Wait;
use crate::Migration;
use crate::engine::{Direction, Planned, Told, milliseconds};
use crate::history::{Outcome, RevisionState};
use migrate_core::name::quote_literal;
use std::time::Duration;

/// The format of the tables that this version writes.
pub(super) const FORMAT: i32 = 4;

/// What makes the tables what this version writes, given the format that was found. Run under the guard, so no other
/// migrator can race it, and in one transaction.
pub(super) fn bootstrap(found: Option<i32>) -> String {
    match found {
        None => format!("{TABLES};\n{VIEWS}"),
        Some(1) => format!("{FROM_FORMAT_1};\n{FROM_FORMAT_2};\n{VIEWS}"),
        Some(2) => format!("{FROM_FORMAT_2};\n{VIEWS}"),
        Some(3) => format!("{FROM_FORMAT_3};\n{VIEWS}"),
        // nothing is touched: whoever reads the journal for hours is in nobody's way
        Some(_) => String::new(),
    }
}

macro_rules! measurements {
    () => {
        "create table _migrate.timings (
    run bigint not null references _migrate.runs (id),
    revision text not null,
    direction text not null,
    number integer not null,
    duration_ms bigint not null,
    primary key (run, revision, direction, number)
);
create table _migrate.waits (
    run bigint not null references _migrate.runs (id),
    revision text not null,
    direction text not null,
    waited_ms bigint not null,
    waited_for text not null,
    blockers text not null,
    recorded_at timestamptz not null default clock_timestamp()
)"
    };
}

macro_rules! backfills {
    () => {
        "create table _migrate.backfills (
    revision text not null,
    direction text not null check (direction in ('up', 'down')),
    number integer not null,
    run bigint not null references _migrate.runs (id),
    key text[] not null,
    last_key text[],
    end_key text[],
    rows_passed bigint not null,
    rows_changed bigint not null,
    batches bigint not null,
    batch_size integer not null,
    runs bigint not null,
    worked_ms bigint not null,
    started_at timestamptz not null default clock_timestamp(),
    updated_at timestamptz not null default clock_timestamp(),
    table_oid oid,
    key_types text[],
    primary key (revision, direction, number)
)"
    };
}

const TABLES: &str = concat!(
    "do $$ begin if pg_catalog.to_regnamespace('_migrate') is null then create schema _migrate; end if; end $$;
create table _migrate.format (version integer not null);
insert into _migrate.format values (4);
create table _migrate.runs (
    id bigint generated always as identity primary key,
    command text not null,
    started_at timestamptz not null default now(),
    database_user text not null default current_user,
    client_address inet default inet_client_addr(),
    application text not null default current_setting('application_name'),
    server_version text not null default current_setting('server_version'),
    system_identifier text,
    timeline integer,
    tool_version text not null
);
create table _migrate.revisions (
    revision text primary key,
    name text not null,
    checksum text not null,
    state text not null check (state in ('applied', 'started', 'stamped')),
    position bigint generated always as identity,
    recorded_at timestamptz not null default clock_timestamp(),
    run bigint not null references _migrate.runs (id)
);
create table _migrate.operations (
    id bigint generated always as identity primary key,
    run bigint not null references _migrate.runs (id),
    revision text not null,
    direction text not null check (direction in ('up', 'replay', 'down')),
    number integer not null,
    operation text not null,
    verdict text check (verdict in ('before', 'after', 'absent', 'conflict')),
    outcome text not null check (outcome in ('applied', 'satisfied', 'skipped', 'started', 'failed', 'reverted')),
    evidence text not null default '',
    sql text not null default '',
    file text not null,
    line integer not null,
    sqlstate text,
    recorded_at timestamptz not null default clock_timestamp()
);
create index operations_latest on _migrate.operations (revision, number, id desc);
",
    measurements!(),
    ";
",
    backfills!()
);

/// Format 1 didn't say what was found, how long anything took, and which server it was.
const FROM_FORMAT_1: &str = concat!(
    "alter table _migrate.runs
    add column application text not null default current_setting('application_name'),
    add column system_identifier text,
    add column timeline integer;
alter table _migrate.operations add column verdict text check (verdict in ('before', 'after', 'absent', 'conflict'));
",
    measurements!(),
    ";
update _migrate.format set version = 2"
);

/// Format 2 had no changes in batches.
const FROM_FORMAT_2: &str = concat!(
    backfills!(),
    ";
update _migrate.format set version = 4"
);

/// Format 3 didn't say which table changes in batches had begun with, and how its key was sorted.
const FROM_FORMAT_3: &str = "alter table _migrate.backfills add column table_oid oid, add column key_types text[];
update _migrate.format set version = 4";

/// The rows of `o` that count: a revision that was reversed and done again has others, and so has one that was reversed again.
macro_rules! since_last_reversed {
    () => {
        "o.outcome <> 'failed' and case when o.direction = 'down'
            then not exists (select from _migrate.operations as done where done.revision = o.revision and done.outcome <> 'failed'
                and done.direction <> 'down' and done.id > o.id)
            else not exists (select from _migrate.operations as reversed where reversed.revision = o.revision and reversed.outcome <> 'failed'
                and reversed.direction = 'down' and reversed.id > o.id
                and exists (select from _migrate.operations as done where done.revision = o.revision and done.outcome <> 'failed'
                    and done.direction <> 'down' and done.id > reversed.id)) end"
    };
}

/// What people read: all that happened, the last word on every operation, and what is skipped.
const VIEWS: &str = concat!(
    "create or replace view _migrate.log as
    select o.recorded_at, o.revision, o.direction, o.number, o.operation, o.verdict, o.outcome, o.evidence,
        t.duration_ms, o.sqlstate, o.file, o.line, o.sql, o.run, r.command, r.started_at,
        r.database_user, r.client_address, r.application, r.server_version, r.system_identifier, r.timeline, r.tool_version
    from _migrate.operations as o
    join _migrate.runs as r on r.id = o.run
    left join _migrate.timings as t
        on o.outcome in ('applied', 'reverted') and (t.run, t.revision, t.direction, t.number) = (o.run, o.revision, o.direction, o.number)
    order by o.id;
create or replace view _migrate.latest as
    select distinct on (o.revision, o.direction = 'down', o.number)
        o.revision, o.number, o.operation, o.direction, o.verdict, o.outcome, o.evidence, o.file, o.line, o.recorded_at, o.run
    from _migrate.operations as o where o.number > 0 and ",
    since_last_reversed!(),
    "
    order by o.revision, o.direction = 'down', o.number, o.id desc;
create or replace view _migrate.skipped as
    select latest.revision, latest.number, latest.operation, latest.evidence, latest.file, latest.line, latest.recorded_at
    from _migrate.latest as latest join _migrate.revisions as r on r.revision = latest.revision and r.state <> 'stamped'
    where latest.outcome = 'skipped' or latest.outcome = 'started' and latest.direction = 'replay'"
);

/// Which cluster of databases a server is, and on which of its timelines: a standby that takes over begins a new one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Identity {
    pub(super) system: String,
    timeline: String,
}

impl Identity {
    /// The control file learns of a new timeline at the next checkpoint only: the name of the WAL file has it at once.
    pub(super) const SQL: &str = "select s.system_identifier::text || ' ' || (case when pg_catalog.pg_is_in_recovery() then 0 else \
        ('x' || pg_catalog.substr(pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_lsn()), 1, 8))::bit(32)::integer end)::text \
        from pg_catalog.pg_control_system() as s";

    /// From the answer of the server.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (system, timeline) = text.split_once(' ')?;
        Some(Self { system: system.to_owned(), timeline: timeline.to_owned() })
    }
}

/// Notes a run and gives its number. Nothing where somebody has made a newer journal of it meanwhile.
pub(super) fn begin_run(command: &str, server: Option<&Identity>) -> String {
    let version = env!("CARGO_PKG_VERSION");
    let (system, timeline) =
        server.map_or(("null::text".to_owned(), "null::integer"), |server| (quote_literal(&server.system), server.timeline.as_str()));
    format!(
        "insert into _migrate.runs (command, tool_version, system_identifier, timeline) select {}, {}, {system}, {timeline} \
         where not exists (select from _migrate.format where version > {FORMAT}) returning id::text",
        quote_literal(command),
        quote_literal(version)
    )
}

/// What was measured on the way to a commit: it goes with the next message.
#[derive(Clone, Debug)]
pub(super) enum Measured {
    /// How long an operation took on the server.
    Timing { revision: &'static str, direction: Direction, number: usize, took: Duration },
    /// How long something was seen to wait for a lock, and for whom.
    Wait { revision: &'static str, direction: Direction, wait: Wait },
}

/// Notes what was measured.
pub(super) fn record_measured(run: i64, measured: &[Measured]) -> Vec<String> {
    let mut timings = Vec::new();
    let mut waits = Vec::new();
    for one in measured {
        match one {
            Measured::Timing { revision, direction, number, took } => {
                timings.push(format!("({run}, {}, '{}', {number}, {})", quote_literal(revision), direction.as_str(), milliseconds(*took)));
            }
            Measured::Wait { revision, direction, wait } => {
                let blockers: Vec<String> = wait.blockers.iter().map(ToString::to_string).collect();
                waits.push(format!(
                    "({run}, {}, '{}', {}, {}, {})",
                    quote_literal(revision),
                    direction.as_str(),
                    milliseconds(wait.lasted),
                    quote_literal(&wait.waited_for),
                    quote_literal(&blockers.join("\n"))
                ));
            }
        }
    }
    let into =
        |table: &str, rows: Vec<String>| (!rows.is_empty()).then(|| format!("insert into _migrate.{table} values {}", rows.join(", ")));
    // an operation that the same run has reversed and done again keeps what it took the first time
    let timings = into("timings (run, revision, direction, number, duration_ms)", timings).map(|sql| sql + " on conflict do nothing");
    timings.into_iter().chain(into("waits (run, revision, direction, waited_ms, waited_for, blockers)", waits)).collect()
}

/// For the transaction at hand: where nobody has analyzed the journal, compiling a query takes longer than running it.
pub(super) const WITHOUT_JIT: &str = "select pg_catalog.set_config('jit', 'off', true)";

/// One text with everything that a command has to know of the past. What is skipped stays so until it has been done late.
pub(super) const HISTORY: &str = concat!(
    "select pg_catalog.json_build_object(
    'format', (select max(version) from _migrate.format),
    'revisions', (select coalesce(pg_catalog.json_agg(pg_catalog.json_build_array(
            revision, name, checksum, state, pg_catalog.to_char(recorded_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS')) order by position), '[]')
        from _migrate.revisions),
    'operations', (select coalesce(pg_catalog.json_agg(pg_catalog.json_build_array(revision, number, operation, direction = 'down', outcome, evidence) order by id), '[]')
        from (with candidates as materialized (select own.* from _migrate.operations as own
                  where own.outcome = 'skipped' and own.revision in (select revision from _migrate.revisions where state = 'applied')
                  or own.revision in (select revision from _migrate.revisions where state = 'started'))
              select o.* from candidates as o
              where not exists (select from _migrate.operations as later where later.revision = o.revision and later.number = o.number
                  and (later.direction = 'down') = (o.direction = 'down') and later.id > o.id and later.outcome <> 'failed'
                  and not (later.outcome = 'started' and later.direction = 'replay'))
              and ",
    since_last_reversed!(),
    ") as latest))::text"
);

/// The latest word on every operation of one revision, since it was last reversed, and of the way back.
pub(super) fn outcomes(revision: &str) -> String {
    format!(
        "select coalesce(pg_catalog.json_agg(pg_catalog.json_build_array(revision, number, operation, direction = 'down', outcome, evidence)
            order by number), '[]')::text
        from (select distinct on (direction = 'down', number) * from _migrate.operations as o
              where revision = {} and {} order by direction = 'down', number, id desc) as latest",
        quote_literal(revision),
        since_last_reversed!()
    )
}

/// A row to be journalled.
pub(super) struct Row<'a> {
    pub(super) planned: &'a Planned,
    pub(super) outcome: Outcome,
    pub(super) evidence: &'a str,
    pub(super) sqlstate: Option<&'a str>,
    pub(super) sql: &'a str,
}

/// Records operations.
pub(super) fn record(run: i64, revision: &str, direction: Direction, rows: &[Row<'_>]) -> String {
    let values: Vec<String> = rows
        .iter()
        .map(|row| {
            let place = &row.planned.place;
            format!(
                "({run}, {}, '{}', {}, {}, {}, '{}', {}, {}, {}, {}, {})",
                quote_literal(revision),
                direction.as_str(),
                row.planned.number,
                quote_literal(&place.operation),
                row.planned.verdict().map_or_else(|| "null".to_owned(), quote_literal),
                row.outcome.as_str(),
                quote_literal(row.evidence),
                quote_literal(row.sql),
                quote_literal(&place.file),
                place.line,
                row.sqlstate.map_or_else(|| "null".to_owned(), quote_literal),
            )
        })
        .collect();
    format!(
        "insert into _migrate.operations (run, revision, direction, number, operation, verdict, outcome, evidence, sql, file, line, sqlstate) values {}",
        values.join(", ")
    )
}

/// Records a revision, or how far it has come. Once it is done, how far its changes in batches had come counts no more: what
/// is skipped then begins anew.
pub(super) fn record_revision(run: i64, migration: &Migration, state: RevisionState) -> String {
    let cursors = (state != RevisionState::Started).then(|| forget_cursors(migration));
    with(cursors.as_slice(), &insert_revision(run, migration, state))
}

/// Records the last operations of a revision, if there are any, and the revision as applied, in one statement. `fresh`: it is
/// in the journal for the first time, so that nothing of it is in batches that are half done.
pub(super) fn complete(run: i64, migration: &Migration, operations: Option<String>, fresh: bool) -> String {
    let operations = operations.map(|insert| format!("operations as ({insert})"));
    let cursors = (!fresh).then(|| forget_cursors(migration));
    let parts: Vec<String> = operations.into_iter().chain(cursors).collect();
    with(&parts, &insert_revision(run, migration, RevisionState::Applied))
}

fn with(parts: &[String], statement: &str) -> String {
    if parts.is_empty() { statement.to_owned() } else { format!("with {} {statement}", parts.join(", ")) }
}

fn forget_cursors(migration: &Migration) -> String {
    format!("cursors as (delete from _migrate.backfills where revision = {})", quote_literal(migration.revision))
}

fn insert_revision(run: i64, migration: &Migration, state: RevisionState) -> String {
    format!(
        "insert into _migrate.revisions (revision, name, checksum, state, run) values ({}, {}, {}, '{}', {run}) \
         on conflict (revision) do update set state = excluded.state, checksum = excluded.checksum, name = excluded.name, run = excluded.run",
        quote_literal(migration.revision),
        quote_literal(migration.name),
        quote_literal(migration.checksum),
        state.as_str()
    )
}

/// Forgets a revision, and how far its changes in batches have come. What was done for it stays in the log of operations;
/// where nothing of it had to be reversed, a row with the number 0 says that what was before it counts no more.
pub(super) fn forget_revision(run: i64, migration: &Migration) -> String {
    let (revision, file) = (quote_literal(migration.revision), quote_literal(migration.file));
    format!(
        "with {},
        border as (insert into _migrate.operations (run, revision, direction, number, operation, outcome, file, line)
            select {run}, {revision}, 'down', 0, 'forget the revision', 'reverted', {file}, 0
            where not exists (select from _migrate.operations as back
                where back.revision = {revision} and back.direction = 'down' and back.outcome <> 'failed'
                and not exists (select from _migrate.operations as done where done.revision = {revision} and done.direction <> 'down'
                    and done.outcome <> 'failed' and done.id > back.id)))
        delete from _migrate.revisions where revision = {revision}",
        forget_cursors(migration)
    )
}

/// Records a failure, after its transaction has been rolled back.
pub(super) fn record_failure(run: i64, revision: &str, direction: Direction, failed: &Told<'_>) -> String {
    format!(
        "insert into _migrate.operations (run, revision, direction, number, operation, verdict, outcome, evidence, sql, file, line, sqlstate) \
         values ({run}, {}, '{}', {}, {}, {}, 'failed', {}, {}, {}, {}, {})",
        quote_literal(revision),
        direction.as_str(),
        failed.place.number,
        quote_literal(&failed.place.operation),
        failed.verdict.map_or_else(|| "null".to_owned(), quote_literal),
        quote_literal(failed.message),
        quote_literal(failed.sql),
        quote_literal(&failed.place.file),
        failed.place.line,
        failed.code.map_or_else(|| "null".to_owned(), quote_literal),
    )
}
