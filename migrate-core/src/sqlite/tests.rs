//! Operations → SQLite's SQL, to the letter. What the SQL does is tested on SQLite itself.

use super::{SqliteStep, Unsupported, plan, project, translate};
use crate::expression::Expression;
use crate::operation::Operate;
use crate::replay;
use crate::schema::{Origin, Schema};
use crate::step::Action;

fn schema(sql: &str) -> Schema {
    let mut schema = Schema::default();
    let mut steps = replay::steps(sql).unwrap();
    let report = replay::replay(&mut steps, &mut schema, "base");
    assert!(report.is_empty(), "{:?}", report.problems);
    schema
}

/// The steps of `migration` after `base`, a statement a line.
fn planned(base: &str, migration: &str) -> Result<Vec<String>, Unsupported> {
    let mut before = schema(base);
    let mut lines = Vec::new();
    for step in replay::steps(migration).unwrap() {
        let Action::Change(mut operation) = step.action else { continue };
        operation.bind(&before);
        let mut after = before.clone();
        operation.apply(&mut after, &Origin::default());
        for step in plan(&operation, &before, &after)? {
            if let SqliteStep::Rebuild { table, .. } = &step {
                lines.push(format!("-- rebuild of {table}"));
            }
            lines.extend(step.statements().iter().cloned());
        }
        before = after;
    }
    Ok(lines)
}

fn refused(base: &str, migration: &str) -> String {
    planned(base, migration).unwrap_err().message
}

const ORGANIZATIONS: &str = "create table organizations (id uuid primary key, name text);";

#[test]
fn a_table_with_everything() {
    let migration = "create table documents (
        id bigserial primary key,
        token uuid not null default gen_random_uuid() unique,
        organization uuid not null references organizations on delete cascade,
        title varchar(50) not null default 'new'::varchar check (length(title) > 0),
        tags text[] not null default '{}',
        data jsonb default '{}'::jsonb,
        price numeric(10, 2) default 0,
        ready bool default 'f',
        created_at timestamptz not null default now(),
        lower_title text generated always as (lower(title)) stored,
        constraint cheap check (price < 100 or ready)
    );";
    let uuid = super::functions::RANDOM_UUID;
    let expected = format!(
        "create table \"documents\" (\
         id integer not null constraint documents_pkey primary key autoincrement, \
         token text default ({uuid}) not null, \
         organization text not null constraint documents_organization_fkey references \"organizations\" (id) on delete cascade, \
         title text default 'new' not null constraint documents_title_check check (length(title) > 0), \
         tags text default '{{}}' not null, \
         data text default '{{}}', \
         price numeric default 0, \
         ready boolean default false, \
         created_at text default CURRENT_TIMESTAMP not null, \
         lower_title text generated always as (lower(title)) stored, \
         constraint documents_token_key unique (token), \
         constraint cheap check (price < 100 or ready))"
    );
    assert_eq!(planned(ORGANIZATIONS, migration).unwrap(), [expected]);
}

#[test]
fn columns_come_and_go_without_a_rebuild_where_sqlite_can() {
    let base = "create table documents (id integer primary key, title text);";
    let planned = |migration| planned(base, migration).unwrap();
    assert_eq!(
        planned("alter table documents add column ready boolean not null default true"),
        ["alter table \"documents\" add column ready boolean default true not null"]
    );
    assert_eq!(
        planned("alter table documents add column parent integer references documents"),
        ["alter table \"documents\" add column parent integer constraint documents_parent_fkey references \"documents\" (id)"]
    );
    assert_eq!(
        planned("alter table documents add column size integer check (size > 0)"),
        ["alter table \"documents\" add column size integer constraint documents_size_check check (size > 0)"]
    );
    assert_eq!(planned("alter table documents drop column title"), ["alter table \"documents\" drop column title"]);
}

#[test]
fn what_alter_table_cannot_do_is_a_rebuild() {
    let base = "create table documents (id bigserial primary key, title text, unique (title));";
    assert_eq!(
        planned(base, "alter table documents add column created_at timestamptz not null default now()").unwrap(),
        [
            "-- rebuild of documents",
            "create table \"__migrate_documents\" (id integer not null constraint documents_pkey primary key autoincrement, title text, \
             created_at text default CURRENT_TIMESTAMP not null, constraint documents_title_key unique (title))",
            "insert into \"__migrate_documents\" (id, title) select id, title from \"documents\"",
            "delete from sqlite_sequence where name = '__migrate_documents'",
            "insert into sqlite_sequence (name, seq) select '__migrate_documents', seq from sqlite_sequence where name = 'documents'",
            "drop table \"documents\"",
            "pragma legacy_alter_table = on",
            "alter table \"__migrate_documents\" rename to \"documents\"",
            "pragma legacy_alter_table = off",
        ]
    );
    for migration in [
        "alter table documents add column key uuid default gen_random_uuid()",
        "alter table documents add column number integer unique",
        "alter table documents add column upper text generated always as (upper(title)) stored",
        "alter table documents add column other integer default 1 references documents",
        "alter table documents drop column title",
        "alter table documents drop column id",
    ] {
        assert_eq!(planned(base, migration).unwrap()[0], "-- rebuild of documents", "{migration}");
    }
}

#[test]
fn dropping_a_table_takes_the_keys_to_it_along() {
    let base = "create table a (id integer primary key); create table b (id integer primary key, a integer references a);";
    let lines = planned(base, "drop table a cascade").unwrap();
    assert_eq!(lines[0], "-- rebuild of b");
    assert!(!lines[1].contains("references"), "{}", lines[1]);
    assert_eq!(lines.last().unwrap(), "drop table \"a\"");
    assert_eq!(planned(base, "drop table b").unwrap(), ["drop table \"b\""]);
    assert_eq!(refused(base, "drop table a"), "table `a` is the target of a foreign key of `b`");
}

#[test]
fn statements_that_change_data() {
    let base = "create table documents (id integer primary key, title text);";
    let planned = |migration| planned(base, migration).unwrap();
    assert_eq!(
        planned("insert into public.documents (title) select title::text || now() from documents where title ilike 'a%'"),
        ["insert into documents (title) select title || CURRENT_TIMESTAMP from documents where title like 'a%'"]
    );
    assert_eq!(planned("update documents set title = my_function(title)"), ["update documents set title = my_function(title)"]);
    assert_eq!(planned("update public.documents d set title = 'x'"), ["update documents as d set title = 'x'"]);
    assert_eq!(planned("truncate documents"), ["delete from \"documents\""]);
    for nothing in
        ["vacuum documents", "analyze", "set lock_timeout = 0", "lock table documents", "select pg_catalog.set_config('a', '', false)"]
    {
        assert_eq!(planned(nothing), Vec::<String>::new(), "{nothing}");
    }
}

#[test]
fn tables_that_refer_to_each_other_are_truncated_together() {
    let base = "create table a (id integer primary key); create table b (a integer references a); create table cascade_b (id integer);";
    assert_eq!(planned(base, "truncate a, b").unwrap(), ["delete from \"b\"", "delete from \"a\""]);
    assert_eq!(planned(base, "truncate cascade_b").unwrap(), ["delete from \"cascade_b\""]);
    assert_eq!(refused(base, "truncate a"), "table `a` can't be truncated: a foreign key of `b` refers to it");
}

/// So SQLite follows the rename in the triggers that the rebuild has made again.
#[test]
fn a_rename_comes_after_the_rebuild_that_it_takes() {
    let base = "create type kind as enum ('x'); create table t (id integer primary key, a kind);";
    let lines = planned(base, "alter table t rename column a to b").unwrap();
    assert_eq!(lines[0], "-- rebuild of t");
    assert!(lines[1].contains("a text constraint b_enum check (a in ('x'))"), "{}", lines[1]);
    assert_eq!(lines.last().unwrap(), "alter table \"t\" rename column a to b");
}

#[test]
fn what_cannot_be_said_is_refused() {
    let base = "create table t (id integer primary key, a text, b integer);";
    for (migration, message) in [
        ("create table u (a tsvector)", "SQLite has no type `tsvector`"),
        ("create table u (a integer, b serial)", "SQLite numbers rows by their primary key only, and `u.b` isn't it"),
        ("create table u (a text primary key, b text, unique (b) include (a))", "SQLite has no `include`"),
        ("create table u (a text, exclude using gist (a with =))", "SQLite has no exclusion constraints"),
        ("create table u (a text, unique (a) deferrable)", "SQLite can't defer `u_a_key`: only foreign keys wait for the commit"),
        ("create table u (a text default md5('x'))", "SQLite has no function `md5`"),
        ("create table u (a text check (a ~ 'x'))", "SQLite has no operator `~`"),
        ("create table u (a timestamptz check (a < now()))", "SQLite takes `current_timestamp` in a default only: its value varies"),
        ("create table u (a text collate \"de_DE\")", "SQLite has no collation `de_DE`"),
        (
            "create table u (id integer generated always as identity (start with 5) primary key)",
            "SQLite's autoincrement starts at 1 and counts by 1",
        ),
        ("create table u (a boolean default 'maybe')", "`'maybe'` is no truth value"),
        ("create table u (a integer) partition by range (a)", "SQLite has no partitions"),
        ("create table u ()", "SQLite has no tables without columns"),
        ("create function f() returns trigger language plpgsql as $$ begin end $$", "SQLite has no functions or procedures of its own"),
        (
            "create trigger r before insert on t\nfor each row\nexecute function f()",
            "SQLite has no functions that a trigger could execute: its triggers hold their statements themselves",
        ),
        ("alter table t enable row level security", "SQLite has no row level security"),
        ("truncate t cascade", "SQLite has no `truncate`"),
        ("update t set a = 'x' where b @> 1", "SQLite has no operator `@>`"),
    ] {
        assert_eq!(refused(base, migration), message, "{migration}");
    }
    let help = planned(base, "create table u (a tsvector)").unwrap_err().help;
    assert_eq!(help, "put the statement into a `postgres { … }` block, and what SQLite needs instead into a `sqlite { … }` block");
}

fn translated(sql: &str) -> Result<String, String> {
    let translated = translate::expression(&Expression::new(sql), &Schema::default());
    translated.map(|expression| expression.sql().to_owned()).map_err(|unsupported| unsupported.message)
}

#[test]
fn expressions_say_the_same() {
    for (postgres, sqlite) in [
        ("'x'::text", "'x'"),
        ("('x'::character varying(3))::text", "'x'"),
        ("'{}'::text[]", "'{}'"),
        ("now()", "CURRENT_TIMESTAMP"),
        ("current_timestamp(3)", "CURRENT_TIMESTAMP"),
        ("(now() at time zone 'utc')", "CURRENT_TIMESTAMP"),
        ("timezone('utc'::text, now())", "CURRENT_TIMESTAMP"),
        ("'-1'::integer", "-1"),
        ("a -'-1'::integer", "a -(-1)"),
        ("(0)::numeric", "0"),
        ("'t'::boolean", "true"),
        ("'\\xDEad'::bytea", "x'DEad'"),
        ("null::uuid", "null"),
        ("date '2020-01-01'", "'2020-01-01'"),
        ("$$it's$$", "'it''s'"),
        ("e'a\\tb'", "'a\tb'"),
        ("status = any (array['a'::text, 'b'])", "status in ('a', 'b')"),
        ("((status)::text = ANY ((ARRAY['a'::character varying, 'b'::character varying])::text[]))", "(status) in ('a', 'b')"),
        ("a <> all (array[1, 2])", "a not in (1, 2)"),
        ("a ilike 'x' and b", "a like 'x' and b"),
        ("public.lower(t.a)::text || 'x'", "lower(t.a) || 'x'"),
        ("price::integer + 1", "cast(price as integer) + 1"),
        ("lower((email)::text)", "lower((email))"),
        ("cast(a as bigint)", "cast(a as integer)"),
        ("created_at::date", "date(created_at)"),
        ("char_length(substring(a, 1, 2)) > 1", "length(substr(a, 1, 2)) > 1"),
        ("case when (a is null) then 1 else (2) end", "case when (a is null) then 1 else (2) end"),
        ("a=-1 and b in (1,2)", "a=-1 and b in (1,2)"),
        ("data ->> 'x' = '1'", "data ->> 'x' = '1'"),
        ("\"Mixed\" > 0", "\"Mixed\" > 0"),
    ] {
        assert_eq!(translated(postgres).as_deref(), Ok(sqlite), "{postgres}");
        assert_eq!(translated(sqlite).as_deref(), Ok(sqlite), "{sqlite} twice");
    }
    let uuid = translated("gen_random_uuid()").unwrap();
    assert_eq!(translated("extensions.uuid_generate_v4()").unwrap(), uuid);
    assert_eq!(translated(&uuid).unwrap(), uuid);
}

#[test]
fn expressions_that_sqlite_lacks() {
    for (sql, message) in [
        ("a && b", "SQLite has no operator `&&`"),
        ("array[1]", "SQLite has no arrays"),
        ("a[1]", "SQLite has no arrays"),
        ("a = any (b)", "SQLite has no arrays"),
        ("interval '1 day'", "SQLite has no intervals"),
        ("now() at time zone 'Europe/Berlin'", "SQLite knows no time zone but UTC"),
        ("substring(a from 1)", "SQLite has no function `substring` with `from` or `for`"),
        ("nextval('s')", "SQLite has no function `nextval`"),
        ("a::boolean", "SQLite can't cast `a` to `boolean`"),
        ("'x'::integer", "SQLite can't cast `'x'` to `integer`"),
        ("current_user", "SQLite has no `current_user`"),
    ] {
        assert_eq!(translated(sql), Err(message.to_owned()), "{sql}");
    }
}

#[test]
fn never_panics_on_odd_text() {
    for text in [
        "",
        "::",
        "a::",
        "(",
        ")",
        "a::b[",
        "cast(",
        "cast(a as)",
        "= any",
        "= any (",
        "= any ()",
        "timezone('utc')",
        "at time zone",
        "public.",
        "x.y(",
        "'",
        "\"",
        "[",
    ] {
        let _ = (translated(text), translate::statement(text, &Schema::default()));
    }
}

#[test]
fn projecting_twice_is_projecting_once() {
    let schema = schema(
        "create table t (id bigserial primary key, a varchar(3) default 'x'::varchar, b timestamptz default now(),
         c uuid default gen_random_uuid(), d boolean default 'no', e integer check ((e = any (array[1, 2]))), f text[])",
    );
    let once = project(&schema);
    assert_eq!(project(&once), once);
}
