//! The migrator is gone at any moment, between two phases and in the middle of one.

use super::{KINDS, Kind, chain_of, filled, migrator, state};
use migrate_runtime::{Database as Migrator, DownTo, Event, Migrations, Options};
use migrate_tests::proxy::{Cut, Proxy};
use migrate_tests::{Database, server, servers};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// A migrator dies with its sockets before it sends this phase.
async fn dies_before(database: &Database, chain: Migrations, last: usize) {
    let seen = AtomicUsize::new(0);
    let observer = Arc::new(move |event: &Event| {
        if matches!(event, Event::Phase { .. }) && seen.fetch_add(1, Ordering::Relaxed) + 1 == last {
            std::panic::resume_unwind(Box::new("dies"));
        }
    });
    let options = Options { large_table: 0, observer: Some(observer), ..Options::default() };
    let dying = Migrator::new(database.url()).unwrap().with_options(options);
    let died = tokio::spawn(async move { dying.up(chain, None).await });
    assert!(died.await.unwrap_err().is_panic(), "phase {last}");
}

#[tokio::test]
async fn a_migrator_that_is_gone_between_two_phases_is_healed_by_the_next() {
    for server in servers() {
        for kind in KINDS {
            let chain = chain_of(kind.statement);
            let plain = filled(server, chain).await;
            migrator(plain.url(), u64::MAX).0.up(chain, None).await.unwrap();
            for last in 2..=kind.phases {
                let database = filled(server, chain).await;
                let before = database.dump().await;
                dies_before(&database, chain, last).await;
                // what an interrupted attempt has begun is finished, however large the table is
                let (next, told) = migrator(database.url(), u64::MAX);
                next.up(chain, None).await.unwrap();
                assert!(!told.lock().unwrap().is_empty(), "{}, phase {last}", kind.name);
                assert_eq!(state(&database).await, state(&plain).await, "{}, phase {last}: {told:?}", kind.name);
                assert_eq!(database.dump().await, plain.dump().await, "{}, phase {last}", kind.name);
                next.down(chain, &DownTo::Steps(1)).await.unwrap();
                assert_eq!(database.dump().await, before, "{}, phase {last}", kind.name);
            }
        }
    }
}

#[tokio::test]
async fn a_migrator_that_is_gone_between_two_phases_leaves_nothing_that_down_cant_take_back() {
    for kind in KINDS {
        let chain = chain_of(kind.statement);
        for last in 2..=kind.phases {
            let database = filled(server(), chain).await;
            let before = database.dump().await;
            dies_before(&database, chain, last).await;
            migrator(database.url(), 0).0.down(chain, &DownTo::Steps(1)).await.unwrap();
            assert_eq!(database.dump().await, before, "{}, phase {last}", kind.name);
            migrator(database.url(), 0).0.up(chain, None).await.unwrap();
        }
    }
}

#[tokio::test]
async fn what_is_left_goes_before_a_written_way_back_renames_its_table() {
    let chain = chain_of(
        "alter table orders rename to bills;\nalter table bills alter column email set not null;\n--- down\n\
         alter table bills alter column email drop not null;\nalter table bills rename to orders",
    );
    let database = filled(server(), chain).await;
    let before = database.dump().await;
    dies_before(&database, chain, 2).await;
    assert!(database.dump().await.contains("_migrate_email_not_null"));
    migrator(database.url(), 0).0.down(chain, &DownTo::Steps(1)).await.unwrap();
    assert_eq!(database.dump().await, before);
}

#[tokio::test]
async fn a_connection_that_breaks_at_any_message_is_healed_by_the_next_up() {
    let kinds = KINDS.iter().filter(|kind| ["set not null", "foreign key", "unique", "serial", "volatile default"].contains(&kind.name));
    let tasks: Vec<_> = kinds.map(|kind| tokio::spawn(break_at_any_message(kind))).collect();
    for task in tasks {
        task.await.unwrap();
    }
}

async fn break_at_any_message(kind: &'static Kind) {
    let chain = chain_of(kind.statement);
    let (plain, template) = (filled(server(), chain).await, filled(server(), chain).await);
    migrator(plain.url(), u64::MAX).0.up(chain, None).await.unwrap();
    let expected = (state(&plain).await, plain.dump().await);
    for cut in (1..).flat_map(|n| [Cut::BeforeRequest(n), Cut::BeforeReply(n)]) {
        let database = template.copy(server()).await;
        let proxy = Proxy::start(server(), Duration::ZERO).unwrap();
        let (dying, _) = migrator(&proxy.url(database.url()), 0);
        proxy.cut_at(cut);
        let result = dying.up(chain, None).await;
        if proxy.has_planned_cut() {
            result.unwrap();
            break;
        }
        migrator(database.url(), 0).0.up(chain, None).await.unwrap();
        assert_eq!((state(&database).await, database.dump().await), expected, "{}, {cut:?}", kind.name);
    }
}
