//! Indexes that are built concurrently: how far the server is, what an interrupted one has left, and which rows are in the
//! way.
#![expect(clippy::unwrap_used, reason = "a test that can't go on has failed")]

use migrate_runtime::{Database as Migrator, Error, Event, Options};
use migrate_tests::chain::chain;
use migrate_tests::{Database, server, servers};
use sqlx::{AssertSqlSafe, PgConnection};
use std::sync::{Arc, Mutex};
use std::time::Duration;

const BASE: &str = "=== aaa111 m1\ncreate table documents (id int primary key, title text, body text);\n\
                    create index documents_title_idx on documents (title);\ncreate table others (id int primary key);\n";

type Told = Arc<Mutex<Vec<Event>>>;

fn migrator(database: &Database) -> (Migrator, Told) {
    let told = Told::default();
    let hears = Arc::clone(&told);
    let observer = Arc::new(move |event: &Event| hears.lock().unwrap().push(event.clone()));
    (Migrator::new(database.url()).unwrap().with_options(Options { observer: Some(observer), ..Options::default() }), told)
}

fn with(statement: &str) -> migrate_runtime::Migrations {
    chain(&format!("{BASE}=== bbb222 m2 after aaa111\n{statement};\n"))
}

async fn run(connection: &mut PgConnection, sql: &str) {
    sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(connection).await.unwrap();
}

fn leftovers(told: &Told) -> Vec<String> {
    let events = told.lock().unwrap();
    let mut dropped: Vec<String> =
        events.iter().filter_map(|event| if let Event::Leftover { index } = event { Some(index.clone()) } else { None }).collect();
    dropped.sort();
    dropped
}

const INDEXES: &str = "select string_agg(indexrelid::regclass || case when indisvalid then '' else ' invalid' end, ', ' \
    order by indexrelid::regclass::text) from pg_index where indrelid in ('documents'::regclass, 'others'::regclass)";

/// A `reindex` that is ended while it waits for somebody's snapshot: after it has built, or before it drops.
async fn interrupted(database: &Database, statement: &str) {
    let mut other = database.connect().await;
    run(&mut other, "begin; insert into documents values (1000, 'x', 'y'); insert into others values (1000)").await;
    let mut dying = database.connect().await;
    sqlx::raw_sql("set statement_timeout = '300ms'").execute(&mut dying).await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(statement.to_owned())).execute(&mut dying).await.unwrap_err();
    run(&mut other, "rollback").await;
}

#[tokio::test]
async fn it_is_told_how_far_the_server_is() {
    for server in servers() {
        let database = Database::create(server).await;
        let chain = with("create index concurrently documents_body_idx on documents (body)");
        let (migrator, told) = migrator(&database);
        migrator.up(chain, Some("m1")).await.unwrap();
        let mut other = database.connect().await;
        run(&mut other, "begin; insert into documents values (1, 'a', 'b')").await;
        let (result, ()) = tokio::join!(migrator.up(chain, None), async {
            let told = || told.lock().unwrap().iter().any(|event| matches!(event, Event::Building(_)));
            while !told() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            run(&mut other, "commit").await;
        });
        result.unwrap();
        let told = told.lock().unwrap();
        let building = told.iter().find_map(|event| if let Event::Building(building) = event { Some(building) } else { None });
        let building = building.unwrap();
        assert_eq!((building.table.as_str(), building.index.as_deref()), ("documents", Some("documents_body_idx")));
        assert_eq!((building.phase.as_str(), building.unit.as_str()), ("waiting for writers before build", "sessions"));
        assert_eq!((building.done, building.total, building.percent()), (0, 1, Some(0)));
        let json = serde_json::to_value(Event::Building(building.clone())).unwrap();
        assert_eq!((&json["event"], &json["index"]), (&"building".into(), &"documents_body_idx".into()));
    }
}

#[tokio::test]
async fn what_an_interrupted_reindex_has_left_is_dropped_by_the_step_that_is_about_it() {
    for server in servers() {
        for (statement, gone) in [
            ("reindex table concurrently documents", true),
            ("reindex index concurrently documents_title_idx", true),
            ("reindex index concurrently documents_pkey", false),
            ("reindex table concurrently others", false),
        ] {
            let database = Database::create(server).await;
            let (migrator, told) = migrator(&database);
            migrator.up(with(statement), Some("m1")).await.unwrap();
            interrupted(&database, "reindex index concurrently documents_title_idx").await;
            // a name is no proof
            database.execute("create index documents_pkey_ccnew on documents (body)").await.unwrap();
            let left = "documents_pkey, documents_pkey_ccnew, documents_title_idx, documents_title_idx_ccnew invalid, others_pkey";
            assert_eq!(database.text(INDEXES).await.unwrap(), left, "{statement}");
            migrator.up(with(statement), None).await.unwrap();
            if gone {
                assert_eq!(database.text(INDEXES).await.unwrap(), left.replace(", documents_title_idx_ccnew invalid", ""), "{statement}");
                assert_eq!(leftovers(&told), ["public.documents_title_idx_ccnew"], "{statement}");
            } else {
                assert_eq!(database.text(INDEXES).await.unwrap(), left, "{statement}");
                assert_eq!(leftovers(&told), [""; 0], "{statement}");
            }
        }
    }
}

#[tokio::test]
async fn leftovers_of_toast_tables_and_long_names_are_recognised() {
    let long = "documents_by_title_and_body_and_whatever_else_there_is_in_there";
    assert_eq!(long.len(), 63);
    let text = format!("{BASE}create index {long} on documents (title, body);\n=== bbb222 m2 after aaa111\n");
    let table = chain(&format!("{text}reindex table concurrently documents;\n"));
    let index = chain(&format!("{text}reindex index concurrently {long};\n"));
    for (chain, toast_too) in [(index, false), (table, true)] {
        let database = Database::create(server()).await;
        let (migrator, told) = migrator(&database);
        migrator.up(chain, Some("m1")).await.unwrap();
        interrupted(&database, "reindex table concurrently documents").await;
        let invalid = "select count(*)::text from pg_index where not indisvalid";
        assert_eq!(database.text(invalid).await.unwrap(), "4", "of each index, and of the one of the TOAST table");
        migrator.up(chain, None).await.unwrap();
        let dropped = leftovers(&told);
        assert!(dropped.contains(&format!("public.{}_ccnew", &long[..57])), "{dropped:?}");
        assert_eq!(dropped.len(), if toast_too { 4 } else { 1 }, "{dropped:?}");
        assert_eq!(database.text(invalid).await.unwrap(), if toast_too { "0" } else { "3" });
    }
}

#[tokio::test]
async fn what_is_there_more_than_once_is_named() {
    for server in servers() {
        for (statement, expected) in [
            (
                "create unique index concurrently documents_key on documents (title)",
                "could not create unique index \"documents_key\": Key (title)=(a) is duplicated. \
                 Duplicates: (title) = (a) 3 times, (b) 2 times, (c) 2 times, …",
            ),
            (
                "create unique index concurrently documents_key on documents (lower(title), body) where id < 6",
                "could not create unique index \"documents_key\": Key (lower(title), body)=(a, x) is duplicated. \
                 Duplicates: ((lower(title)), body) = (a, x) 3 times, (b, x) 2 times",
            ),
            (
                "create unique index concurrently documents_key on documents (title) where id < 4",
                "could not create unique index \"documents_key\": Key (title)=(a) is duplicated.",
            ),
        ] {
            let database = Database::create(server).await;
            let (migrator, _) = migrator(&database);
            migrator.up(with(statement), Some("m1")).await.unwrap();
            let rows = "insert into documents values (1, 'a', 'x'), (2, 'a', 'x'), (3, 'a', 'x'), (4, 'b', 'x'), (5, 'b', 'x'), \
                        (6, 'c', 'x'), (7, 'c', 'x'), (8, 'd', 'x'), (9, 'd', 'x'), (10, null, 'x'), (11, null, 'x')";
            database.execute(rows).await.unwrap();
            let error = migrator.up(with(statement), None).await.unwrap_err();
            let Error::Operation { sqlstate, message, .. } = &error else { panic!("{error}") };
            assert_eq!((sqlstate.as_deref(), message.split(" Duplicates").next()), (Some("23505"), expected.split(" Duplicates").next()));
            assert_eq!(message.split_once("Duplicates"), expected.split_once("Duplicates"), "{statement}");
            assert_eq!(database.text(INDEXES).await.unwrap(), "documents_pkey, documents_title_idx, others_pkey");
        }
    }
}

/// Puts another index of the same name in the place of each that is made, before its statement is done.
const SWAP: &str = "create function swap() returns event_trigger language plpgsql as $$ begin
        if current_setting('test.swapped', true) is distinct from 'yes' then
            perform set_config('test.swapped', 'yes', false);
            drop index documents_body_idx;
            create index documents_body_idx on documents (title, body);
        end if;
    end $$;
    create event trigger swap on ddl_command_end when tag in ('CREATE INDEX') execute function swap()";

#[tokio::test]
async fn an_index_of_another_definition_is_not_the_one_that_was_asked_for() {
    let database = Database::create(server()).await;
    let chain = with("create index concurrently documents_body_idx on documents (body)");
    let (migrator, _) = migrator(&database);
    migrator.up(chain, Some("m1")).await.unwrap();
    database.execute(SWAP).await.unwrap();
    let error = migrator.up(chain, None).await.unwrap_err();
    let expected = "it is not what the statement should have left\n  index documents_body_idx: keys is 2, expected 1";
    assert!(error.what().contains(expected), "{}", error.what());
    // it isn't taken for done the next time, either
    let again = migrator.up(chain, None).await.unwrap_err();
    assert!(again.to_string().contains("keys is 2, expected 1"), "{again}");
    database.execute("drop event trigger swap; drop index documents_body_idx").await.unwrap();
    migrator.up(chain, None).await.unwrap();
}

#[tokio::test]
async fn one_that_was_skipped_is_built_however_often_it_is_interrupted() {
    let database = Database::create(server()).await;
    let text = "=== aaa111 m1\n--- optional\ncreate table events (id int primary key, kind text);\n--- up\n\
                create index concurrently events_kind_idx on events (kind);\n";
    let (migrator, _) = migrator(&database);
    assert_eq!(migrator.up(chain(text), None).await.unwrap().skipped, 1);
    database.execute("create table events (id int primary key, kind text)").await.unwrap();
    let mut other = database.connect().await;
    run(&mut other, "begin; insert into events values (1, 'a')").await;
    let (result, ()) = tokio::join!(migrator.up(chain(text), None), async {
        let end = "select count(pg_terminate_backend(pid))::text from pg_stat_activity where query like 'create index concurrently%' \
                   and wait_event_type = 'Lock' and datname = current_database()";
        while database.text(end).await.unwrap() == "0" {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        run(&mut other, "commit").await;
    });
    assert!(matches!(result, Err(Error::ConnectionLost { .. })), "{result:?}");
    assert_eq!(migrator.up(chain(text), None).await.unwrap().skipped, 0);
    let valid =
        "select string_agg(indexrelid::regclass::text, ' ') from pg_index where indisvalid and indexrelid::regclass::text like '%kind%'";
    assert_eq!(database.text(valid).await.unwrap(), "events_kind_idx");
}

#[tokio::test]
async fn what_another_role_builds_is_waited_for_and_not_dropped() {
    for server in servers() {
        let chain = with("create index concurrently documents_body_idx on documents (body)");
        let database = Database::create(server).await;
        // it may not see what a superuser is at
        let role = format!("{}_plain", database.name());
        let grants = format!("grant create on database {} to {role}; grant create on schema public to {role}", database.name());
        database.execute(&format!("create role {role} login; {grants}")).await.unwrap();
        let told = Told::default();
        let hears = Arc::clone(&told);
        let observer = Arc::new(move |event: &Event| hears.lock().unwrap().push(event.clone()));
        let options = Options { observer: Some(observer), ..Options::default() };
        let migrator = Migrator::new(database.url_as(&role).as_str()).unwrap().with_options(options);
        let options = Options { guard_wait: Duration::from_millis(100), ..Options::default() };
        let impatient = Migrator::new(database.url_as(&role).as_str()).unwrap().with_options(options);
        migrator.up(chain, Some("m1")).await.unwrap();
        let (mut writer, mut builder) = (database.connect().await, database.connect().await);
        run(&mut writer, "begin; insert into documents values (1, 'a', 'b')").await;
        let index = "select coalesce(to_regclass('documents_body_idx')::oid::text, '')";
        // built otherwise than we would: that it is ours can't be told from the statement
        let build = run(&mut builder, "create index concurrently documents_body_idx on public.documents using btree (body)");
        let ((), result, theirs) = tokio::join!(
            build,
            async {
                while database.text(index).await.unwrap().is_empty() {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
                let error = impatient.up(chain, None).await.unwrap_err();
                assert!(
                    error.what().contains("somebody else is still at work after ") && error.what().contains("may be building"),
                    "{error}"
                );
                assert_eq!(error.now().as_deref(), Some("what was done before it holds, and the same command goes on from there"));
                migrator.up(chain, None).await
            },
            async {
                let waits = |event: &Event| matches!(event, Event::WaitingForLock { holder } if holder.ends_with("which may be building the index public.documents_body_idx"));
                while !told.lock().unwrap().iter().any(waits) {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
                let theirs = database.text(index).await.unwrap();
                run(&mut writer, "commit").await;
                theirs
            }
        );
        result.unwrap();
        assert_eq!(leftovers(&told), [""; 0]);
        assert_eq!(database.text(index).await.unwrap(), theirs);
        assert_eq!(database.text(INDEXES).await.unwrap(), "documents_body_idx, documents_pkey, documents_title_idx, others_pkey");
        drop((migrator, impatient, writer, builder));
        database.execute(&format!("drop owned by {role} cascade; drop role {role}")).await.unwrap();
    }
}

#[tokio::test]
async fn an_invalid_index_of_the_name_on_another_table_is_somebody_else_s() {
    let chain = with("create unique index concurrently documents_key on documents (title)");
    let database = Database::create(server()).await;
    let (migrator, told) = migrator(&database);
    migrator.up(chain, Some("m1")).await.unwrap();
    database.execute("insert into others values (1), (2)").await.unwrap();
    database.execute("create unique index concurrently documents_key on others ((id > 0))").await.unwrap_err();
    let left = database.text(INDEXES).await.unwrap();
    assert!(left.contains("documents_key invalid"), "{left}");
    for _ in 0..2 {
        let error = migrator.up(chain, None).await.unwrap_err();
        assert!(error.to_string().contains("index documents_key"), "{error}");
        assert_eq!(database.text(INDEXES).await.unwrap(), left);
    }
    assert_eq!(leftovers(&told), [""; 0]);
    database.execute("drop index documents_key").await.unwrap();
    migrator.up(chain, None).await.unwrap();
}
