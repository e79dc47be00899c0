//! A role that may not look must not take what it can't see for absent.

use migrate_runtime::Database as Migrator;
use migrate_tests::chain::chain;
use migrate_tests::{Database, server};

const OPTIONAL: &str = "=== aaa111 m1\n--- optional\ncreate schema billing;\ncreate table billing.invoices (id int primary key);\n\
                        --- up\ncreate table items (id int primary key);\nalter table billing.invoices add column note text;\n";

#[tokio::test]
async fn what_a_role_may_not_use_is_there_for_it_and_never_skipped() {
    let database = Database::create(server()).await;
    let role = format!("{}_plain", database.name());
    database.execute("create schema billing; create table billing.invoices (id int primary key)").await.unwrap();
    database
        .execute(&format!(
            "create role {role} login; grant create on database {} to {role}; grant create on schema public to {role}",
            database.name()
        ))
        .await
        .unwrap();
    let migrator = Migrator::new(database.url_as(&role).as_str()).unwrap();
    let error = migrator.up(chain(OPTIONAL), None).await.unwrap_err();
    assert_eq!(error.sqlstate().as_deref(), Some("42501"), "{error}");
    assert!(error.help().unwrap().contains("grant the missing privilege"), "{error}");
    assert_eq!(database.text("select count(*)::text from _migrate.operations where outcome = 'skipped'").await.unwrap(), "0");
    assert_eq!(database.text("select (to_regclass('items') is null)::text").await.unwrap(), "true");
    database.execute(&format!("grant usage on schema billing to {role}; alter table billing.invoices owner to {role}")).await.unwrap();
    migrator.up(chain(OPTIONAL), None).await.unwrap();
    drop(migrator);
    database.execute(&format!("drop owned by {role} cascade; drop role {role}")).await.unwrap();
}

#[tokio::test]
async fn a_journal_that_a_role_may_not_read_is_not_an_empty_one() {
    let database = Database::create(server()).await;
    let text = "=== aaa111 m1\ncreate table items (id int primary key);\n";
    Migrator::new(database.url()).unwrap().up(chain(text), None).await.unwrap();
    let role = format!("{}_plain", database.name());
    database.execute(&format!("create role {role} login; grant create on schema public to {role}")).await.unwrap();
    let error = Migrator::new(database.url_as(&role).as_str()).unwrap().up(chain(text), None).await.unwrap_err();
    assert_eq!(error.sqlstate().as_deref(), Some("42501"), "{error}");
    assert!(error.what().contains("may not use the schema `_migrate`"), "{error}");
    database.execute(&format!("drop owned by {role}; drop role {role}")).await.unwrap();
}

#[tokio::test]
async fn a_role_that_may_not_make_schemas_takes_one_that_was_made_for_it() {
    let database = Database::create(server()).await;
    let role = format!("{}_plain", database.name());
    let text = "=== aaa111 m1\ncreate table items (id int primary key);\n";
    database.execute(&format!("create role {role} login; grant create on schema public to {role}")).await.unwrap();
    let migrator = Migrator::new(database.url_as(&role).as_str()).unwrap();
    let error = migrator.up(chain(text), None).await.unwrap_err();
    assert_eq!(error.sqlstate().as_deref(), Some("42501"), "{error}");
    database.execute(&format!("create schema _migrate authorization {role}")).await.unwrap();
    migrator.up(chain(text), None).await.unwrap();
    assert_eq!(database.text("select string_agg(revision, ' ') from _migrate.revisions").await.unwrap(), "aaa111");
    drop(migrator);
    database.execute(&format!("drop owned by {role} cascade; drop role {role}")).await.unwrap();
}
