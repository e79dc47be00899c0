create schema if not exists _migrate;
create table _migrate.format (version integer not null);
insert into _migrate.format values (3);
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
create table _migrate.timings (
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
);
create or replace view _migrate.log as
    select o.recorded_at, o.revision, o.direction, o.number, o.operation, o.verdict, o.outcome, o.evidence,
        t.duration_ms, o.sqlstate, o.file, o.line, o.sql, o.run, r.command, r.started_at,
        r.database_user, r.client_address, r.application, r.server_version, r.system_identifier, r.timeline, r.tool_version
    from _migrate.operations as o
    join _migrate.runs as r on r.id = o.run
    left join _migrate.timings as t
        on o.outcome in ('applied', 'reverted') and (t.run, t.revision, t.direction, t.number) = (o.run, o.revision, o.direction, o.number)
    order by o.id;
create or replace view _migrate.latest as
    select distinct on (revision, number) revision, number, operation, direction, verdict, outcome, evidence, file, line, recorded_at, run
    from _migrate.operations where outcome <> 'failed' order by revision, number, id desc;
create or replace view _migrate.skipped as
    select latest.revision, latest.number, latest.operation, latest.evidence, latest.file, latest.line, latest.recorded_at
    from (select distinct on (revision, number) * from _migrate.operations where outcome <> 'failed' order by revision, number, id desc) as latest
    where latest.outcome = 'skipped';
create table _migrate.backfills (
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
    primary key (revision, direction, number)
);
