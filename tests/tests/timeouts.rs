//! What a role or a database has for the application's sessions doesn't end a migration.

use migrate_runtime::Database as Migrator;
use migrate_tests::chain::chain;
use migrate_tests::{Database, servers};

const TIMEOUTS: [&str; 4] = ["statement_timeout", "idle_in_transaction_session_timeout", "transaction_timeout", "lock_timeout"];

#[tokio::test]
async fn timeouts_of_the_application_are_not_the_migrations() {
    for server in servers() {
        let database = Database::create(server).await;
        for name in TIMEOUTS {
            let known = format!("select (current_setting('{name}', true) is not null)::text");
            if database.text(&known).await.unwrap() == "true" {
                database.execute(&format!("alter database {} set {name} = '400ms'", database.name())).await.unwrap();
            }
        }
        let slow = "create function slow(text) returns text immutable language plpgsql as 'begin perform pg_sleep(0.8); return $1; end'";
        database.execute(slow).await.unwrap();
        let text = "=== aaa111 m1\ncreate table first (id int primary key, name text);\ninsert into first values (1, 'a');\nselect pg_sleep(0.8);\n\
                    === bbb222 m2 after aaa111\ncreate index concurrently first_idx on first (slow(name));\n";
        let summary = Migrator::new(database.url()).unwrap().up(chain(text), None).await.unwrap();
        assert_eq!(summary.current[0].revision, "bbb222");
    }
}
