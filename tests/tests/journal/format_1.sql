create schema if not exists _migrate;
create table if not exists _migrate.format (version integer not null);
insert into _migrate.format select 1 where not exists (select from _migrate.format);
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
    where latest.outcome = 'skipped';
