//! Operations that fail, that were done already, and that find something else.

use super::chain::{Draft, chain};
use super::database::{File, count};
use migrate_runtime::{Error, Migrations, Outcome};

fn people() -> Migrations {
    chain(vec![
        Draft::new("a1", &[]).up("create table people (id bigint primary key, email text)"),
        Draft::new("b2", &["a1"])
            .up("alter table people add column age integer")
            .up("create unique index people_email_idx on people (email)")
            .up("alter table people alter column email set not null"),
    ])
}

#[tokio::test]
async fn a_failing_operation_takes_its_migration_with_it() {
    let file = File::new();
    file.database().up(people(), Some("a1")).await.unwrap();
    file.execute("insert into people values (1, 'a@x'), (2, null)").await;
    let before = file.schema().await;

    let error = file.up(people()).await.unwrap_err();
    let Error::Operation { place, sqlstate, now, help, .. } = &error else { panic!("{error:?}") };
    assert_eq!((place.number, place.line, place.file.as_str()), (3, 3, "src/migrations/m_b2.rs"));
    assert_eq!(sqlstate.as_deref(), Some("SQLITE_CONSTRAINT_NOTNULL (1299)"));
    assert!(now.contains("rolled back whole") && now.contains("in the journal"), "{now}");
    assert!(help.contains("fill the nulls"), "{help}");
    assert_eq!(file.schema().await, before);
    assert_eq!(file.status(people()).await.pending(), 1);
    let journal =
        file.text("select number || ' ' || outcome || ' ' || sqlstate as line from _migrate_operations where revision = 'b2'").await;
    assert_eq!(journal, "3 failed SQLITE_CONSTRAINT_NOTNULL (1299)");
    assert!(file.text("select sql as line from _migrate_operations where revision = 'b2'").await.contains("insert into"));

    file.execute("update people set email = 'b@x' where email is null").await;
    let summary = file.up(people()).await.unwrap();
    assert_eq!(count(&summary, Outcome::Applied), 3);
    assert_eq!(file.text("select email as line from people order by id").await, "a@x\nb@x");
    assert_eq!(file.database().check(people()).await.unwrap().exit_code(), 0);
}

#[tokio::test]
async fn duplicates_are_named() {
    let file = File::new();
    file.database().up(people(), Some("a1")).await.unwrap();
    file.execute("insert into people values (1, 'a@x'), (2, 'a@x')").await;
    let error = file.up(people()).await.unwrap_err();
    assert_eq!(error.sqlstate().as_deref(), Some("SQLITE_CONSTRAINT_UNIQUE (2067)"));
    assert!(error.to_string().contains("UNIQUE constraint failed: people.email"), "{error}");
    assert_eq!(error.place().unwrap().number, 2);
}

#[tokio::test]
async fn values_that_cannot_be_converted_are_named() {
    let file = File::new();
    let chain = chain(vec![
        Draft::new("a1", &[]).up("create table t (id bigint primary key, n text)"),
        Draft::new("b2", &["a1"]).up("alter table t alter column n type integer using n::integer"),
    ]);
    file.database().up(chain, Some("a1")).await.unwrap();
    file.execute("insert into t values (1, '7'), (2, 'many')").await;
    let error = file.up(chain).await.unwrap_err();
    assert!(!error.to_string().contains("CHECK constraint failed"), "{error}");
    assert!(error.to_string().contains("values that can't be made integer"), "{error}");
    file.execute("update t set n = '8' where id = 2").await;
    file.up(chain).await.unwrap();
    assert_eq!(file.text("select typeof(n) || n as line from t order by id").await, "integer7\ninteger8");
}

#[tokio::test]
async fn what_was_done_by_hand_is_satisfied() {
    let file = File::new();
    file.database().up(people(), Some("a1")).await.unwrap();
    file.execute("alter table people add column age integer; create unique index people_email_idx on people (email)").await;
    let summary = file.up(people()).await.unwrap();
    assert_eq!((count(&summary, Outcome::Satisfied), count(&summary, Outcome::Applied)), (2, 1));
    // down reverses only what up has done here
    file.down(people(), 1).await.unwrap();
    assert_eq!(file.text("select name || \"notnull\" as line from pragma_table_info('people')").await, "id1\nemail0\nage0");
    assert_eq!(file.text("select name as line from pragma_index_list('people') where origin = 'c'").await, "people_email_idx");
}

#[tokio::test]
async fn another_definition_is_a_conflict_with_its_difference() {
    let file = File::new();
    file.database().up(people(), Some("a1")).await.unwrap();
    file.execute("alter table people add column age text default '0'").await;
    let before = file.schema().await;
    let error = file.up(people()).await.unwrap_err();
    assert!(matches!(error, Error::Drift { .. }), "{error:?}");
    assert_eq!(error.exit_code(), 4);
    let text = error.to_string();
    assert!(text.contains("column people.age: type is text, expected integer"), "{text}");
    assert!(text.contains("default is '0', expected none"), "{text}");
    assert_eq!(file.schema().await, before);
    assert_eq!(file.journal("b2").await, "1 failed add column `people.age`");
}

#[tokio::test]
async fn drift_is_found() {
    let file = File::new();
    file.up(people()).await.unwrap();
    file.execute("drop index people_email_idx; alter table people add column extra text").await;
    let report = file.database().check(people()).await.unwrap();
    assert_eq!(report.exit_code(), 4);
    assert!(report.drift.iter().any(|line| line.contains("people_email_idx")), "{:?}", report.drift);
}

#[tokio::test]
async fn what_sqlite_lacks_is_refused_before_anything_is_done() {
    let file = File::new();
    let chain = chain(vec![
        Draft::new("a1", &[])
            .up("create table t (id bigint primary key)")
            .up("create function f() returns integer language sql as 'select 1'"),
    ]);
    let error = file.up(chain).await.unwrap_err();
    assert!(error.to_string().contains("SQLite has no functions or procedures of its own"), "{error}");
    assert!(error.help().unwrap().contains("postgres {"), "{error}");
    assert_eq!(file.schema().await, "");
}
