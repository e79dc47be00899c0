//! A row that is in the way.

use super::{KINDS, chain_of, filled, migrator, state};
use migrate_runtime::{Database as Migrator, DownTo, Error, Event, Options};
use migrate_tests::{server, servers};
use sqlx::Connection as _;
use std::sync::Arc;
use std::time::Duration;

#[tokio::test]
async fn what_violates_is_named_and_nothing_is_left_behind() {
    for server in servers() {
        for kind in KINDS.iter().filter(|kind| !kind.violate.is_empty()) {
            let chain = chain_of(kind.statement);
            let database = filled(server, chain).await;
            // what the migration does before the phases is committed, and stays
            let prelude: Vec<&str> = kind.statement.split(";\n").filter(|sql| sql.contains(" drop constraint ")).collect();
            let dropped = filled(server, chain).await;
            for sql in prelude {
                dropped.execute(sql).await.unwrap();
            }
            let before = state(&dropped).await;
            database.execute(kind.violate).await.unwrap();
            let (migrator, told) = migrator(database.url(), 0);
            for _ in 0..2 {
                let error = migrator.up(chain, None).await.unwrap_err();
                let Error::Operation { sqlstate, message, help, .. } = &error else { panic!("{}: {error}", kind.name) };
                assert_eq!((sqlstate.as_deref(), message.as_str()), (Some(kind.sqlstate), kind.message), "{}", kind.name);
                assert!(help.ends_with("then run `up` again"), "{help}");
                assert_eq!(state(&database).await, before, "{}", kind.name);
            }
            assert!(told.lock().unwrap().len() >= 2, "{}", kind.name);
            database.execute(kind.heal).await.unwrap();
            migrator.up(chain, None).await.unwrap();
            let plain = filled(server, chain).await;
            super::migrator(plain.url(), u64::MAX).0.up(chain, None).await.unwrap();
            assert_eq!(state(&database).await, state(&plain).await, "{}", kind.name);
        }
    }
}

#[tokio::test]
async fn what_is_somebody_else_s_is_not_removed() {
    // an index of the constraint's name, but another one
    let chain = chain_of("alter table orders add constraint orders_email unique (email)");
    let database = filled(server(), chain).await;
    database.execute("create index orders_email on orders (amount)").await.unwrap();
    let before = state(&database).await;
    let (migrator, _) = super::migrator(database.url(), 0);
    let error = migrator.up(chain, None).await.unwrap_err();
    assert_eq!(error.sqlstate().as_deref(), Some("42P07"), "{error}");
    assert_eq!(state(&database).await, before);
    migrator.down(chain, &DownTo::Steps(1)).await.unwrap();
    assert_eq!(state(&database).await, before);
    migrator.up(chain, None).await.unwrap_err();
    // one like it becomes the constraint's
    database.execute("drop index orders_email; create unique index orders_email on orders (email)").await.unwrap();
    migrator.up(chain, None).await.unwrap();
    assert!(state(&database).await.contains("orders_email UNIQUE (email) true"));

    // a second primary key: its index was built, and goes again
    let chain = chain_of("alter table orders drop constraint orders_pkey;\nalter table orders add constraint again primary key (id)");
    let database = filled(server(), chain).await;
    let options = Options { large_table: 0, observer: Some(meddle(database.url())), ..Options::default() };
    let error = Migrator::new(database.url()).unwrap().with_options(options).up(chain, None).await.unwrap_err();
    assert_eq!(error.sqlstate().as_deref(), Some("42P16"), "{error}");
    let left = state(&database).await;
    assert!(left.contains("theirs PRIMARY KEY (id) true") && !left.contains("again"), "{left}");
}

#[tokio::test]
async fn an_invalid_index_of_the_name_on_another_table_is_not_removed() {
    let chain = chain_of("alter table orders add constraint email_key unique (email)");
    let database = filled(server(), chain).await;
    database.execute("insert into people values (1000, '1@x')").await.unwrap();
    database.execute("create unique index concurrently email_key on people (email)").await.unwrap_err();
    let before = state(&database).await;
    assert!(before.contains("email_key false"), "{before}");
    for large_table in [0, u64::MAX] {
        let error = migrator(database.url(), large_table).0.up(chain, None).await.unwrap_err();
        assert_eq!(error.sqlstate().as_deref(), Some("42P07"), "{error}");
        assert_eq!(state(&database).await, before);
    }
    database.execute("drop index email_key").await.unwrap();
    migrator(database.url(), 0).0.up(chain, None).await.unwrap();
}

/// Writes to the table from before the rows are looked at until a while after a row was in the way.
fn write_meanwhile(url: &str) -> migrate_runtime::Observer {
    let url = url.to_owned();
    Arc::new(move |event: &Event| {
        if matches!(event, Event::Phase { phase: 2, .. }) {
            let url = url.clone();
            let (sender, receiver) = std::sync::mpsc::channel();
            std::thread::spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                runtime.block_on(async {
                    let mut connection = sqlx::PgConnection::connect(&url).await.unwrap();
                    sqlx::raw_sql("begin; lock table orders in row exclusive mode").execute(&mut connection).await.unwrap();
                    sender.send(()).unwrap();
                    tokio::time::sleep(Duration::from_millis(1500)).await;
                    connection.close().await.unwrap();
                });
            });
            receiver.recv().unwrap();
        }
    })
}

#[tokio::test]
async fn an_invalid_index_is_removed_after_a_failure_although_somebody_writes_for_longer_than_others_would_wait() {
    let chain =
        chain_of("alter table orders drop constraint orders_pkey;\nalter table orders add constraint again primary key (amount, id)");
    let database = filled(server(), chain).await;
    let before = state(&database).await;
    // what a build that was killed has left
    database.execute("create unique index concurrently again on orders (amount)").await.unwrap_err();
    database.execute("update orders set amount = null where id = 5").await.unwrap();
    let limit = format!("alter database {} set lock_timeout = '300ms'", database.name());
    database.execute(&limit).await.unwrap();
    let options = Options { large_table: 0, observer: Some(write_meanwhile(database.url())), ..Options::default() };
    let error = Migrator::new(database.url()).unwrap().with_options(options).up(chain, None).await.unwrap_err();
    let Error::Operation { sqlstate, message, .. } = &error else { panic!("{error}") };
    assert_eq!((sqlstate.as_deref(), message.as_str()), (Some("23502"), "column \"amount\" of relation \"orders\" contains null values"));
    let expected: Vec<&str> = before.lines().filter(|line| !line.starts_with("orders_pkey ")).collect();
    assert_eq!(state(&database).await.lines().collect::<Vec<_>>(), expected);
}

/// Adds a primary key of its own before the last phase.
fn meddle(url: &str) -> migrate_runtime::Observer {
    let url = url.to_owned();
    Arc::new(move |event: &Event| {
        if matches!(event, Event::Phase { phase: 2, .. }) {
            let url = url.clone();
            let other = std::thread::spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                runtime.block_on(async {
                    let mut connection = sqlx::PgConnection::connect(&url).await.unwrap();
                    let sql = "alter table orders add constraint theirs primary key (id)";
                    sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
                });
            });
            other.join().unwrap();
        }
    })
}
