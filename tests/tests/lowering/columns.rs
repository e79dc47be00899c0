//! Which columns are filled in batches, and which are added as they were written.

use super::{chain_of, filled, migrator};
use migrate_runtime::Database as Migrator;
use migrate_tests::chain::chain;
use migrate_tests::{Database, server, servers};

#[tokio::test]
async fn a_plan_shows_how_a_column_is_filled() {
    let chain = chain_of("alter table orders add column token uuid not null default gen_random_uuid()");
    let database = filled(server(), chain).await;
    let plan = migrator(database.url(), 0).0.plan(chain, None).await.unwrap();
    let operation = &plan.revisions[0].operations[0];
    assert_eq!((operation.transaction, operation.rewrites.len()), (None, 0));
    let phases: Vec<_> =
        operation.phases.iter().map(|phase| (phase.sql.join("; "), phase.locks.join(", "), phase.batch, phase.short)).collect();
    let phase = |sql: &str, lock: &str, batch, short| (sql.to_owned(), format!("{lock} on orders"), batch, short);
    let fill = "update only public.orders set token = default\nwhere token is null";
    assert_eq!(
        phases,
        [
            phase(
                "alter table public.orders add column token uuid; \
                 alter table public.orders alter column token set default gen_random_uuid(); \
                 comment on column public.orders.token is 'not filled yet: `migrate up` is adding this column'",
                "AccessExclusiveLock",
                None,
                true
            ),
            phase(fill, "RowExclusiveLock", Some(1000), false),
            phase(
                "alter table public.orders add constraint _migrate_token_not_null check (token is not null) not valid",
                "AccessExclusiveLock",
                None,
                true
            ),
            phase(fill, "RowExclusiveLock", None, false),
            phase("alter table public.orders validate constraint _migrate_token_not_null", "ShareUpdateExclusiveLock", None, false),
            phase(
                "alter table public.orders alter column token set not null; \
                 alter table public.orders drop constraint if exists _migrate_token_not_null; \
                 comment on column public.orders.token is null",
                "AccessExclusiveLock",
                None,
                true
            ),
        ]
    );
    // what is small is written anew
    let plan = migrator(database.url(), u64::MAX).0.plan(chain, None).await.unwrap();
    let operation = &plan.revisions[0].operations[0];
    assert_eq!(
        (operation.phases.len(), operation.transaction, operation.rewrites.as_slice()),
        (0, Some(1), ["orders".to_owned()].as_slice())
    );
}

const TABLE: &str = "create table t (id int primary key, a int);";
const ADD: &str = "alter table t add column c uuid default gen_random_uuid();";
const HEARS: &str = "create function hears() returns trigger language plpgsql as 'begin return new; end';";

/// What the table has, what is added, and in how many phases.
const COLUMNS: &[(&str, &str, &str, usize)] = &[
    ("plain", "", ADD, 3),
    ("trigger of inserts", "create trigger hears before insert on t for each row execute function hears();", ADD, 3),
    ("trigger of another column", "create trigger hears before update of a on t for each row execute function hears();", ADD, 3),
    (
        "disabled trigger",
        "create trigger hears before update on t for each row execute function hears(); alter table t disable trigger hears;",
        ADD,
        3,
    ),
    ("trigger", "create trigger hears before update on t for each row execute function hears();", ADD, 0),
    ("trigger of a statement", "create trigger hears after insert or update on t execute function hears();", ADD, 0),
    ("row level security of the owner, too", "alter table t enable row level security; alter table t force row level security;", ADD, 0),
    ("row level security", "alter table t enable row level security;", ADD, 3),
    ("a check that isn't validated", "alter table t add check (a > 0) not valid;", ADD, 0),
    ("no key", "alter table t drop constraint t_pkey;", ADD, 0),
    ("a key of another order", "alter table t drop constraint t_pkey; create unique index other on t (id desc);", ADD, 3),
    (
        "a key that is sorted by another operator class",
        "alter table t drop constraint t_pkey; alter table t alter column id type text; create unique index other on t (id text_pattern_ops);",
        ADD,
        0,
    ),
    ("children", "create table child () inherits (t);", ADD, 0),
    ("a constant", "", "alter table t add column c int default 1;", 0),
    ("a constraint behind it", "", "alter table t add column c uuid default gen_random_uuid() unique;", 0),
    ("an identity", "", "alter table t add column c int generated always as identity;", 0),
    ("a generated column", "", "alter table t add column c int generated always as (a + 1) stored;", 0),
    ("a domain", "create domain positive as int check (value > 0);", "alter table t add column c positive default random() * 10 + 1;", 0),
    ("a domain without a check", "create domain number as int;", "alter table t add column c number default random() * 10 + 1;", 3),
    ("serial of an unlogged table", "alter table t set unlogged;", "alter table t add column c serial;", 0),
    ("a serial whose sequence has another name", "create sequence t_c_seq;", "alter table t add column c serial;", 6),
    ("an unlogged table", "alter table t set unlogged;", ADD, 3),
];

#[tokio::test]
async fn a_column_is_filled_where_an_update_does_no_more_than_that() {
    for server in servers() {
        for (name, table, add, phases) in COLUMNS {
            let chain = chain(&format!("=== aaa111 m1\n{TABLE}\n{HEARS}\n{table}\n=== bbb222 m2 after aaa111\n{add}\n"));
            let (database, plain) = (Database::create(server).await, Database::create(server).await);
            for database in [&database, &plain] {
                Migrator::new(database.url()).unwrap().up(chain, Some("m1")).await.unwrap();
                database.execute("insert into t select n, n from generate_series(1, 20) n").await.unwrap();
            }
            let (migrator, told) = migrator(database.url(), 0);
            migrator.up(chain, None).await.unwrap();
            assert_eq!(told.lock().unwrap().len(), *phases, "{name}: {told:?}");
            Migrator::new(plain.url()).unwrap().up(chain, None).await.unwrap();
            assert_eq!(database.dump().await, plain.dump().await, "{name}");
            assert_eq!(database.text("select count(c)::text from t").await.unwrap(), "20", "{name}");
        }
    }
}

#[tokio::test]
async fn what_only_the_server_knows_is_asked_for() {
    let cases = [
        ("create rule hears as on update to t do also notify heard", 0),
        ("create rule hears as on insert to t do also notify heard", 3),
        ("create publication everything for all tables", 3),
        ("create publication everything for all tables; alter table t replica identity nothing", 0),
        ("create publication everything for all tables with (publish = 'insert'); alter table t replica identity nothing", 3),
        ("alter table t replica identity nothing", 3),
        ("alter table t drop constraint t_pkey; create unique index key on t (id)", 3),
        ("create publication everything for all tables; alter table t drop constraint t_pkey; create unique index key on t (id)", 0),
    ];
    for (sql, phases) in cases {
        let chain = chain(&format!("=== aaa111 m1\n{TABLE}\n=== bbb222 m2 after aaa111\n{ADD}\n"));
        let database = Database::create(server()).await;
        Migrator::new(database.url()).unwrap().up(chain, Some("m1")).await.unwrap();
        database
            .execute(&format!("insert into t select n, n from generate_series(1, 20) n; alter table t alter column id set not null; {sql}"))
            .await
            .unwrap();
        let (migrator, told) = migrator(database.url(), 0);
        migrator.up(chain, None).await.unwrap();
        assert_eq!(told.lock().unwrap().len(), phases, "{sql}: {told:?}");
        assert_eq!(database.text("select count(c)::text from t").await.unwrap(), "20", "{sql}");
    }
}

#[tokio::test]
async fn a_sequence_is_made_by_the_owner_of_its_table_or_by_postgresql() {
    let chain = chain(&format!("=== aaa111 m1\n{TABLE}\n=== bbb222 m2 after aaa111\nalter table t add column c bigserial;\n"));
    for (owner, taken, phases) in [(false, false, 6), (true, false, 0), (false, true, 0)] {
        let database = Database::create(server()).await;
        Migrator::new(database.url()).unwrap().up(chain, Some("m1")).await.unwrap();
        let role = format!("owner_of_{}", database.name());
        if owner {
            database.execute(&format!("create role {role}; alter table t owner to {role}")).await.unwrap();
        }
        if taken {
            database.execute("create sequence t_c_seq").await.unwrap();
        }
        let (migrator, told) = migrator(database.url(), 0);
        migrator.up(chain, None).await.unwrap();
        assert_eq!(told.lock().unwrap().len(), phases, "{told:?}");
        let same = "select (count(distinct relowner) = 1)::text from pg_class where relname in ('t', 't_c_seq')";
        assert_eq!(database.text(same).await.unwrap(), "true");
        if owner {
            database.execute(&format!("drop table t; drop role {role}")).await.unwrap();
        }
    }
}

#[tokio::test]
async fn somebody_else_s_column_is_not_taken_for_one_that_was_begun() {
    for (statement, there, expected) in [
        ("token uuid default gen_random_uuid()", "token uuid default gen_random_uuid()", None),
        ("token uuid not null default gen_random_uuid()", "token uuid default gen_random_uuid()", Some("not null is no, expected yes")),
    ] {
        let chain = chain_of(&format!("alter table orders add column {statement}"));
        let database = filled(server(), chain).await;
        database.execute(&format!("alter table orders add column {there}; update orders set token = null")).await.unwrap();
        let (migrator, told) = migrator(database.url(), 0);
        let result = migrator.up(chain, None).await;
        assert_eq!(told.lock().unwrap().len(), 0);
        match expected {
            None => assert_eq!(result.unwrap().revisions[0].operations[0].outcome.as_str(), "satisfied"),
            Some(expected) => assert!(result.unwrap_err().to_string().contains(expected)),
        }
        assert_eq!(database.text("select count(token)::text from orders").await.unwrap(), "0");
    }
}
