use migrate_tests::{Database, server, servers};

/// One statement for each kind of object, and a part of the line that has to appear for it.
const OBJECTS: &[(&str, &str)] = &[
    ("create schema warehouse", "schema warehouse"),
    ("create type mood as enum ('sad', 'glad')", "enum public.mood: 'sad', 'glad'"),
    ("create domain posint as integer not null check (value > 0)", "domain public.posint: integer not null"),
    ("select 1", "constraint public.posint.posint_check: CHECK ((VALUE > 0))"),
    ("create type pair as (x integer, y text)", "composite type public.pair: x integer, y text"),
    ("create type floatrange as range (subtype = float8)", "range type public.floatrange: of double precision"),
    (
        "create table a (id integer generated always as identity primary key, b text default 'x' collate \"C\",
            m public.mood not null, double_id integer generated always as (id * 2) stored)",
        "column public.a.id: integer not null generated always as identity",
    ),
    ("select 1", "column public.a.b: text collate \"C\" default 'x'::text"),
    ("select 1", "column public.a.m: public.mood not null"),
    ("select 1", "column public.a.double_id: integer generated always as ((id * 2)) stored"),
    ("select 1", "constraint public.a.a_pkey: PRIMARY KEY (id)"),
    ("select 1", "sequence public.a_id_seq: integer start 1 increment 1 from 1 to 2147483647 cache 1 owned by column id"),
    ("alter table a add constraint a_b check (b <> '') not valid", "CHECK ((b <> ''::text)) NOT VALID"),
    ("create table \"Odd Name\" (a_id integer references a on delete cascade)", "table public.\"Odd Name\""),
    ("select 1", "FOREIGN KEY (a_id) REFERENCES public.a(id) ON DELETE CASCADE"),
    ("create unlogged table u (id integer) with (fillfactor = 50)", "table public.u unlogged with (fillfactor=50)"),
    ("create table part (id integer) partition by range (id)", "table public.part partition by RANGE (id)"),
    (
        "create table part_1 partition of part for values from (1) to (2)",
        "table public.part_1 partition of public.part FOR VALUES FROM (1) TO (2)",
    ),
    ("create table heir () inherits (u)", "table public.heir inherits public.u"),
    (
        "create index a_lower on a (lower(b)) where id > 1",
        "index public.a.a_lower: CREATE INDEX a_lower ON public.a USING btree (lower(b)) WHERE (id > 1)",
    ),
    ("create statistics a_stats on id, b from a", "statistics a_stats: CREATE STATISTICS public.a_stats"),
    ("create view v as select id from a", "view public.v:\n     SELECT "),
    ("create materialized view mv as select id from a", "materialized view public.mv:"),
    ("create index mv_id on mv (id)", "index public.mv.mv_id:"),
    (
        "create sequence warehouse.s as bigint increment 5 cycle",
        "sequence warehouse.s: bigint start 1 increment 5 from 1 to 9223372036854775807 cache 1 cycle",
    ),
    (
        "create function touch() returns trigger language plpgsql as 'begin return new; end'",
        "function public.touch():\n    CREATE OR REPLACE FUNCTION public.touch()",
    ),
    (
        "create trigger a_touch before update on a for each row execute function touch()",
        "trigger public.a.a_touch: CREATE TRIGGER a_touch BEFORE UPDATE ON public.a",
    ),
    ("create aggregate total(integer) (sfunc = int4pl, stype = integer)", "aggregate public.total(integer)"),
    ("create rule u_quiet as on delete to u do instead nothing", "rule public.u.u_quiet: CREATE RULE u_quiet"),
    ("alter table a enable row level security", "table public.a row level security"),
    ("create policy own on a for select to public using (id = 1)", "policy public.a.own: permissive for r to public using ((id = 1))"),
    ("grant select on a to public", "grant SELECT on public.a to public"),
    ("comment on column a.b is 'it''s'", "comment on table column public.a.b: 'it''s'"),
    ("comment on constraint a_b on a is 'c'", "comment on table constraint a_b on public.a: 'c'"),
    ("comment on schema warehouse is 'goods'", "comment on schema warehouse: 'goods'"),
];

#[tokio::test]
async fn every_kind_of_object_is_in_the_dump() {
    for server in servers() {
        let database = Database::create(server).await;
        for (sql, expected) in OBJECTS {
            let before = database.dump().await;
            database.execute(sql).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
            let after = database.dump().await;
            assert!(after.contains(expected), "no `{expected}` after `{sql}` in:\n{after}");
            assert!(*sql == "select 1" || before != after, "`{sql}` left the dump as it was:\n{after}");
        }
    }
}

#[tokio::test]
async fn the_dump_depends_on_names_only() {
    let (one, two) = (Database::create(server()).await, Database::create(server()).await);
    one.execute(
        "create table a (id integer, b text, c text); create table z (id integer); create index a_b on a (b);
         create index a_c on a (c); create view v as select b from a; drop table z",
    )
    .await
    .unwrap();
    two.execute(
        "create table a (c text, gone integer); create index a_c on a (c); alter table a add column b text;
         create index a_b on a (b); alter table a add column id integer; create view v as select b from a;
         alter table a drop column gone; insert into a (b) values ('data')",
    )
    .await
    .unwrap();
    let dump = one.dump().await;
    assert_eq!(dump, two.dump().await);
    assert_eq!(dump, one.dump().await);
}

#[tokio::test]
async fn the_journal_and_the_members_of_extensions_are_left_out() {
    let database = Database::create(server()).await;
    let empty = database.dump().await;
    database
        .execute(
            "create schema _migrate; create table _migrate.journal (id integer generated always as identity primary key);
             comment on table _migrate.journal is 'ours'; comment on schema _migrate is 'ours'",
        )
        .await
        .unwrap();
    assert_eq!(database.dump().await, empty);

    database.execute("create extension citext").await.unwrap();
    assert_eq!(database.dump().await, format!("extension citext: in public\n{empty}"));
}

#[tokio::test]
async fn small_differences_show() {
    let database = Database::create(server()).await;
    database.execute("create table a (id integer); create index a_id on a (id)").await.unwrap();
    for sql in [
        "alter table a alter column id set not null",
        "alter table a alter column id set default 1",
        "alter table a alter column id type bigint",
        "alter table a alter column id set statistics 500",
        "alter table a set (fillfactor = 70)",
        "alter table a replica identity full",
        "alter index a_id rename to a_id_idx",
        "alter table a cluster on a_id_idx",
        "comment on index a_id_idx is 'x'",
        "comment on index a_id_idx is null",
        "drop index a_id_idx",
    ] {
        let before = database.dump().await;
        database.execute(sql).await.unwrap();
        assert_ne!(before, database.dump().await, "{sql}");
    }
}
