//! The journal's tables in PostgreSQL, and what is written to them.

use crate::Migration;
use crate::engine::{Direction, Planned, Told};
use crate::history::{FORMAT, Outcome, RevisionState};
use migrate_core::name::quote_literal;

/// Creates what isn't there. Run under the guard, so no other migrator can race it.
pub(super) fn bootstrap() -> String {
    format!(
        "create schema if not exists _migrate;
create table if not exists _migrate.format (version integer not null);
insert into _migrate.format select {FORMAT} where not exists (select from _migrate.format);
create table if not exists _migrate.runs (
    id bigint generated always as identity primary key,
    command text not null,
    started_at timestamptz not null default now(),
    database_user text not null default current_user,
    client_address inet default inet_client_addr(),
    server_version text not null default current_setting('server_version'),
    tool_version text not null
);
create table if not exists _migrate.revisions (
    revision text primary key,
    name text not null,
    checksum text not null,
    state text not null check (state in ('applied', 'started', 'stamped')),
    position bigint generated always as identity,
    recorded_at timestamptz not null default clock_timestamp(),
    run bigint not null references _migrate.runs (id)
);
create table if not exists _migrate.operations (
    id bigint generated always as identity primary key,
    run bigint not null references _migrate.runs (id),
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
    recorded_at timestamptz not null default clock_timestamp()
);
create index if not exists operations_latest on _migrate.operations (revision, number, id desc);
create or replace view _migrate.skipped as
    select latest.revision, latest.number, latest.operation, latest.evidence, latest.file, latest.line, latest.recorded_at
    from (select distinct on (revision, number) * from _migrate.operations where outcome <> 'failed' order by revision, number, id desc) as latest
    where latest.outcome = 'skipped';"
    )
}

/// Notes a run and gives its number.
pub(super) fn begin_run(command: &str) -> String {
    let version = env!("CARGO_PKG_VERSION");
    format!(
        "insert into _migrate.runs (command, tool_version) values ({}, {}) returning id::text",
        quote_literal(command),
        quote_literal(version)
    )
}

/// One text with everything that a command has to know of the past.
pub(super) const HISTORY: &str = "select pg_catalog.json_build_object(
    'format', (select max(version) from _migrate.format),
    'revisions', (select coalesce(pg_catalog.json_agg(pg_catalog.json_build_array(
            revision, name, checksum, state, pg_catalog.to_char(recorded_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS')) order by position), '[]')
        from _migrate.revisions),
    'operations', (select coalesce(pg_catalog.json_agg(pg_catalog.json_build_array(revision, number, operation, outcome, evidence) order by id), '[]')
        from (select distinct on (o.revision, o.number) o.* from _migrate.operations as o
              join _migrate.revisions as r on r.revision = o.revision
              where o.outcome <> 'failed' order by o.revision, o.number, o.id desc) as latest
        where latest.outcome = 'skipped'
           or latest.revision in (select revision from _migrate.revisions where state = 'started')))::text";

/// The latest word on every operation of one revision.
pub(super) fn outcomes(revision: &str) -> String {
    format!(
        "select coalesce(pg_catalog.json_agg(pg_catalog.json_build_array(revision, number, operation, outcome, evidence) order by number), '[]')::text
        from (select distinct on (number) * from _migrate.operations
              where revision = {} and outcome <> 'failed' order by number, id desc) as latest",
        quote_literal(revision)
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
                "({run}, {}, '{}', {}, {}, '{}', {}, {}, {}, {}, {})",
                quote_literal(revision),
                direction.as_str(),
                row.planned.number,
                quote_literal(&place.operation),
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
        "insert into _migrate.operations (run, revision, direction, number, operation, outcome, evidence, sql, file, line, sqlstate) values {}",
        values.join(", ")
    )
}

/// Records a revision, or how far it has come.
pub(super) fn record_revision(run: i64, migration: &Migration, state: RevisionState) -> String {
    format!(
        "insert into _migrate.revisions (revision, name, checksum, state, run) values ({}, {}, {}, '{}', {run}) \
         on conflict (revision) do update set state = excluded.state, checksum = excluded.checksum, name = excluded.name, run = excluded.run",
        quote_literal(migration.revision),
        quote_literal(migration.name),
        quote_literal(migration.checksum),
        state.as_str()
    )
}

/// Forgets a revision. What was done for it stays in the log of operations.
pub(super) fn forget_revision(migration: &Migration) -> String {
    format!("delete from _migrate.revisions where revision = {}", quote_literal(migration.revision))
}

/// Records a failure, after its transaction has been rolled back.
pub(super) fn record_failure(run: i64, revision: &str, failed: &Told<'_>) -> String {
    format!(
        "insert into _migrate.operations (run, revision, direction, number, operation, outcome, evidence, sql, file, line, sqlstate) \
         values ({run}, {}, 'up', {}, {}, 'failed', {}, {}, {}, {}, {})",
        quote_literal(revision),
        failed.place.number,
        quote_literal(&failed.place.operation),
        quote_literal(failed.message),
        quote_literal(failed.sql),
        quote_literal(&failed.place.file),
        failed.place.line,
        failed.code.map_or_else(|| "null".to_owned(), quote_literal),
    )
}
