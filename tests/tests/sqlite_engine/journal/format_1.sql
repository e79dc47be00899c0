create table if not exists _migrate_format (version integer not null);
insert into _migrate_format select 1 where not exists (select 1 from _migrate_format);
create table if not exists _migrate_runs (
    id integer primary key autoincrement,
    command text not null,
    started_at text not null default (strftime('%Y-%m-%d %H:%M:%f', 'now')),
    process_id integer not null,
    sqlite_version text not null default (sqlite_version()),
    tool_version text not null
);
create table if not exists _migrate_revisions (
    position integer primary key autoincrement,
    revision text not null unique,
    name text not null,
    checksum text not null,
    state text not null check (state in ('applied', 'started', 'stamped')),
    recorded_at text not null default (strftime('%Y-%m-%d %H:%M:%f', 'now')),
    run integer not null references _migrate_runs (id)
);
create table if not exists _migrate_operations (
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
    recorded_at text not null default (strftime('%Y-%m-%d %H:%M:%f', 'now'))
);
create index if not exists _migrate_operations_latest on _migrate_operations (revision, number, id desc);
create view if not exists _migrate_skipped as
    select o.revision, o.number, o.operation, o.evidence, o.file, o.line, o.recorded_at
    from _migrate_operations as o
    where o.outcome = 'skipped' and o.id = (
        select max(latest.id) from _migrate_operations as latest
        where latest.revision = o.revision and latest.number = o.number and latest.outcome <> 'failed')
    order by o.revision, o.number;

