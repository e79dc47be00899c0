create table if not exists _migrate_backfills (
    revision text not null,
    direction text not null check (direction in ('up', 'down')),
    number integer not null,
    run integer not null references _migrate_runs (id),
    cursor text not null,
    rows_passed integer not null,
    rows_changed integer not null,
    updated_at text not null default (strftime('%Y-%m-%d %H:%M:%f', 'now')),
    primary key (revision, direction, number)
);
insert into _migrate_backfills (revision, direction, number, run, cursor, rows_passed, rows_changed) values ('zz', 'up', 1, 1, '{}', 500, 7);
