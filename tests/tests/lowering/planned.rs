//! When a statement is run in phases, and what `plan` says of it.

use super::{chain_of, filled, migrator};
use migrate_runtime::{Database as Migrator, Options};
use migrate_tests::chain::chain;
use migrate_tests::server;

const SET: &str = "alter table orders alter column email set not null";

#[tokio::test]
async fn a_plan_shows_the_phases_with_their_locks_and_why() {
    let chain = chain_of(SET);
    let database = filled(server(), chain).await;
    database.execute("insert into orders select n, 1, n || '@x', 1 from generate_series(101, 30000) n; analyze orders").await.unwrap();
    let plan = migrator(database.url(), 1 << 20).0.plan(chain, None).await.unwrap();
    let operation = &plan.revisions[0].operations[0];
    assert!(operation.evidence.starts_with("in phases: `orders` has 1."), "{}", operation.evidence);
    assert!(operation.evidence.contains(" MiB, and 1 MiB is large; PostgreSQL "), "{}", operation.evidence);
    assert_eq!(operation.transaction, None);
    let phases: Vec<_> = operation.phases.iter().map(|phase| (phase.sql.join("; "), phase.locks.join(", "), phase.short)).collect();
    let text = |text: &str| text.to_owned();
    assert_eq!(
        phases,
        [
            (
                text("alter table public.orders add constraint _migrate_email_not_null check (email is not null) not valid"),
                text("AccessExclusiveLock on orders"),
                true
            ),
            (
                text("alter table public.orders validate constraint _migrate_email_not_null"),
                text("ShareUpdateExclusiveLock on orders"),
                false
            ),
            (
                text(
                    "alter table public.orders alter column email set not null; \
                     alter table public.orders drop constraint if exists _migrate_email_not_null"
                ),
                text("AccessExclusiveLock on orders"),
                true
            ),
        ]
    );
    // a table that is not as large, as everyone has it who says nothing
    let plan = Migrator::new(database.url()).unwrap().plan(chain, None).await.unwrap();
    let operation = &plan.revisions[0].operations[0];
    assert_eq!((operation.phases.len(), operation.transaction, operation.evidence.as_str()), (0, Some(1), ""));
}

#[tokio::test]
async fn a_table_that_nobody_has_analyzed_is_measured() {
    let chain = chain_of(SET);
    let database = filled(server(), chain).await;
    database.execute("alter table orders set (autovacuum_enabled = off)").await.unwrap();
    database.execute("insert into orders select n, 1, n || '@x', 1 from generate_series(101, 20000) n").await.unwrap();
    let plan = migrator(database.url(), 1 << 20).0.plan(chain, None).await.unwrap();
    assert_eq!(plan.revisions[0].operations[0].phases.len(), 3);
    // who has it locked isn't waited for
    let mut other = database.connect().await;
    sqlx::raw_sql("begin; lock table people").execute(&mut other).await.unwrap();
    let plan = migrator(database.url(), 1 << 20).0.plan(chain, None).await.unwrap();
    assert_eq!(plan.revisions[0].operations[0].phases.len(), 3);
}

#[tokio::test]
async fn what_the_run_creates_is_never_large_and_a_large_table_stays_so_under_another_name() {
    let text = "=== aaa111 m1\ncreate table old (id int primary key, a text, b text);\n\
                === bbb222 m2 after aaa111\ncreate table made (id int primary key, a text);\n\
                alter table made alter column a set not null;\n\
                alter table old rename to renamed;\n\
                alter table renamed alter column a set not null;\n\
                === ccc333 m3 after bbb222\n\
                alter table renamed alter column b set not null;\n\
                alter table made add unique (a);\n";
    let chain = chain(text);
    let database = migrate_tests::Database::create(server()).await;
    Migrator::new(database.url()).unwrap().up(chain, Some("m1")).await.unwrap();
    let (migrator, told) = migrator(database.url(), 0);
    let phases = |plan: &migrate_runtime::Plan| {
        let operations = plan.revisions.iter().flat_map(|revision| &revision.operations);
        operations.map(|operation| operation.phases.len()).collect::<Vec<_>>()
    };
    assert_eq!(phases(&migrator.plan(chain, None).await.unwrap()), [0, 0, 0, 3, 3, 0]);
    migrator.up(chain, None).await.unwrap();
    assert_eq!(told.lock().unwrap().len(), 6, "{told:?}");
}

#[tokio::test]
async fn what_can_t_be_done_in_phases_is_run_as_it_was_written() {
    let text = "=== aaa111 m1\ncreate table parts (id int, a text, b text) partition by range (id);\n\
                create table part partition of parts for values from (0) to (10);\n\
                create table plain (id int primary key, a text, check (a is not null));\n\
                === bbb222 m2 after aaa111\nalter table parts alter column a set not null;\n\
                alter table parts add check (b <> '');\n\
                alter table parts add unique (id);\n\
                alter table plain add foreign key (id) references parts (id);\n\
                alter table plain alter column a set not null;\n\
                alter table plain add check (id > 0) not valid;\n\
                alter table plain add column c int check (c > 0);\n";
    let chain = chain(text);
    let database = migrate_tests::Database::create(server()).await;
    Migrator::new(database.url()).unwrap().up(chain, Some("m1")).await.unwrap();
    let (migrator, told) = migrator(database.url(), 0);
    migrator.up(chain, None).await.unwrap();
    assert_eq!(*told.lock().unwrap(), [""; 0]);
}

#[tokio::test]
async fn somebody_else_s_constraint_that_is_not_valid_is_still_a_conflict() {
    let chain = chain_of("alter table orders add constraint orders_amount_check check (amount > 0)");
    let database = filled(server(), chain).await;
    database.execute("alter table orders add constraint orders_amount_check check (amount > 0) not valid").await.unwrap();
    let error = migrator(database.url(), 0).0.up(chain, None).await.unwrap_err().to_string();
    assert!(error.contains("validated is no, expected yes"), "{error}");
    // without a limit nothing is large
    let options = Options { large_table: u64::MAX, ..Options::default() };
    let migrator = Migrator::new(database.url()).unwrap().with_options(options);
    assert!(migrator.up(chain, None).await.is_err());
}

#[tokio::test]
async fn a_large_table_stays_so_in_a_schema_of_another_name() {
    let text = "=== aaa111 m1\ncreate schema old;\ncreate table old.items (id int primary key, a text);\n\
                === bbb222 m2 after aaa111\nalter schema old rename to renamed;\n\
                alter table renamed.items alter column a set not null;\n";
    let database = migrate_tests::Database::create(server()).await;
    Migrator::new(database.url()).unwrap().up(chain(text), Some("m1")).await.unwrap();
    let (migrator, told) = migrator(database.url(), 0);
    migrator.up(chain(text), None).await.unwrap();
    assert_eq!(told.lock().unwrap().len(), 3, "{told:?}");
}

#[tokio::test]
async fn a_table_that_nobody_has_analyzed_and_somebody_has_locked_may_be_large() {
    let chain = chain_of(SET);
    let template = filled(server(), chain).await;
    template.execute("alter table orders set (autovacuum_enabled = off)").await.unwrap();
    // the same place in the catalog, in another database
    let elsewhere = template.copy(server()).await;
    let lock = "begin; lock table orders";
    let phases = async |limit| {
        let plan = migrator(template.url(), limit).0.plan(chain, None).await.unwrap();
        let operation = &plan.revisions[0].operations[0];
        (operation.phases.len(), operation.evidence.clone())
    };
    let mut other = elsewhere.connect().await;
    sqlx::raw_sql(lock).execute(&mut other).await.unwrap();
    assert_eq!(phases(1 << 20).await, (0, String::new()));
    let mut other = template.connect().await;
    sqlx::raw_sql(lock).execute(&mut other).await.unwrap();
    let (count, why) = phases(1 << 20).await;
    assert_eq!(count, 3);
    assert!(why.contains("`orders` could not be measured, as somebody has it locked, and 1 MiB is large"), "{why}");
    // where nothing is large, it isn't, either
    assert_eq!(phases(u64::MAX).await, (0, String::new()));
}

#[tokio::test]
async fn two_long_names_that_need_the_same_proof_are_no_primary_key_in_phases() {
    let long = "a_name_that_is_as_long_as_the_first_part_of_a_proof";
    let text = format!(
        "=== aaa111 m1\ncreate table wide ({long}_1 int, {long}_2 int);\n\
         === bbb222 m2 after aaa111\nalter table wide add primary key ({long}_1, {long}_2);\n\
         === ccc333 m3 after aaa111\nalter table wide alter column {long}_1 set not null;\n\
         alter table wide alter column {long}_2 set not null;\n"
    );
    for (name, expected) in [("m2", 0), ("m3", 6)] {
        let chain = chain(&text);
        let database = migrate_tests::Database::create(server()).await;
        Migrator::new(database.url()).unwrap().up(chain, Some("m1")).await.unwrap();
        let (migrator, told) = migrator(database.url(), 0);
        migrator.up(chain, Some(name)).await.unwrap();
        assert_eq!(told.lock().unwrap().len(), expected, "{told:?}");
        let checked = "select count(*) || ' ' || (select count(*) from pg_attribute where attnotnull and attrelid = 'wide'::regclass and attnum > 0) \
                       from pg_constraint where conrelid = 'wide'::regclass and contype = 'c'";
        assert_eq!(database.text(checked).await.unwrap(), "0 2");
    }
}

#[tokio::test]
async fn a_plan_says_how_much_room_is_needed_for_large_tables() {
    let chain = chain(
        "=== aaa111 m1\ncreate table big (id int primary key, a int, b text);\ncreate index on big (a);\ncreate table small (id int);\n\
         === bbb222 m2 after aaa111\nalter table big alter column id type bigint;\nalter table small alter column id type bigint;\n\
         create index big_b on big (b);\ncreate index concurrently big_b_a on big (b, a);\nalter table big add unique (id, a);\n\
         alter table big add check (a > 0);\nupdate big set a = 1;\n",
    );
    let database = migrate_tests::Database::create(server()).await;
    Migrator::new(database.url()).unwrap().up(chain, Some("m1")).await.unwrap();
    database.execute("insert into big select n, n, repeat(n::text, 10) from generate_series(1, 40000) n").await.unwrap();
    database.execute("vacuum analyze big").await.unwrap();
    let size = async |sql: &str| database.text(sql).await.unwrap().parse::<u64>().unwrap();
    let (table, indexes) = (size("select pg_relation_size('big')::text").await, size("select pg_indexes_size('big')::text").await);
    let plan = migrator(database.url(), 1 << 20).0.plan(chain, None).await.unwrap();
    let disk: Vec<_> = plan.revisions[0].operations.iter().map(|operation| serde_json::to_value(&operation.disk).unwrap()).collect();
    let index = serde_json::json!([{"table": "big", "purpose": "index", "bytes": table}]);
    let nothing = serde_json::json!([]);
    let whole = disk[0][0]["bytes"].as_u64().unwrap();
    assert_eq!((&disk[0][0]["purpose"], &disk[0][0]["table"]), (&"rewrite".into(), &"big".into()));
    // an empty TOAST table has an index of a page
    assert!((table + indexes..=table + indexes + 8192).contains(&whole), "{whole} of {table} and {indexes}");
    assert_eq!(disk[1..], [nothing.clone(), index.clone(), index.clone(), index, nothing.clone(), nothing]);
    let said = plan.revisions[0].operations[2].disk[0].to_string();
    assert!(said.starts_with("up to about 3.") && said.ends_with(" MiB, for `big`"), "{said}");
    let plan = Migrator::new(database.url()).unwrap().plan(chain, None).await.unwrap();
    assert!(plan.revisions[0].operations.iter().all(|operation| operation.disk.is_empty()), "nothing is large");
}
