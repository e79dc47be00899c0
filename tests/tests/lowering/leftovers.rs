//! Somebody else finishes what an interrupted attempt has begun: nothing of ours is left.

use super::{KINDS, Kind, chain_of, filled, migrator, state};
use migrate_runtime::{Database as Migrator, DownTo, Event, Migrations, Observer, Options};
use migrate_tests::{Database, server, servers};
use sqlx::Connection as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// What finishes each kind by hand, and the phases before which a migrator may have died for that.
const BY_HAND: &[(&str, &[usize], &str)] = &[
    ("set not null", &[2, 3], "alter table orders alter column email set not null"),
    ("check", &[2], "alter table orders validate constraint orders_amount_check"),
    ("unnamed check with a comment", &[2], "alter table orders validate constraint orders_check"),
    ("foreign key", &[2], "alter table orders validate constraint orders_person_id_fkey"),
    ("primary key", &[2, 3], "alter table people add primary key (email, id)"),
];

async fn dies_before(database: &Database, chain: Migrations, last: usize) {
    let seen = AtomicUsize::new(0);
    let observer: Observer = Arc::new(move |event: &Event| {
        if matches!(event, Event::Phase { .. }) && seen.fetch_add(1, Ordering::Relaxed) + 1 == last {
            std::panic::resume_unwind(Box::new("dies"));
        }
    });
    let options = Options { large_table: 0, observer: Some(observer), ..Options::default() };
    let dying = Migrator::new(database.url()).unwrap().with_options(options);
    assert!(tokio::spawn(async move { dying.up(chain, None).await }).await.unwrap_err().is_panic());
}

#[tokio::test]
async fn what_somebody_else_has_finished_loses_what_is_ours() {
    for server in servers() {
        for (name, phases, by_hand) in BY_HAND {
            let kind: &Kind = KINDS.iter().find(|kind| kind.name == *name).unwrap();
            let chain = chain_of(kind.statement);
            let plain = filled(server, chain).await;
            let before = plain.dump().await;
            migrator(plain.url(), u64::MAX).0.up(chain, None).await.unwrap();
            for (last, large_table) in phases.iter().flat_map(|last| [(last, 0), (last, u64::MAX)]) {
                let database = filled(server, chain).await;
                dies_before(&database, chain, *last).await;
                database.execute(by_hand).await.unwrap();
                let (next, told) = migrator(database.url(), large_table);
                next.up(chain, None).await.unwrap();
                assert_eq!(told.lock().unwrap().len(), 0, "{name}, phase {last}");
                assert_eq!(state(&database).await, state(&plain).await, "{name}, phase {last}");
                assert_eq!(database.dump().await, plain.dump().await, "{name}, phase {last}");
                let evidence = "select string_agg(evidence, '') from _migrate.operations where revision = 'bbb222'";
                let evidence = database.text(evidence).await.unwrap();
                assert!(evidence.contains("only what that has left is removed"), "{name}, phase {last}: {evidence}");
                next.down(chain, &DownTo::Steps(1)).await.unwrap();
                assert_eq!(database.dump().await, before, "{name}, phase {last}");
            }
        }
    }
}

#[tokio::test]
async fn what_somebody_else_finishes_during_the_run_loses_what_is_ours_too() {
    let chain = chain_of("alter table orders alter column email set not null;\nalter table orders alter column amount set not null");
    let (database, plain) = (filled(server(), chain).await, filled(server(), chain).await);
    migrator(plain.url(), u64::MAX).0.up(chain, None).await.unwrap();
    let url = database.url().to_owned();
    let observer: Observer = Arc::new(move |event: &Event| {
        if matches!(event, Event::Phase { number: 1, phase: 3, .. }) {
            let url = url.clone();
            let other = std::thread::spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                runtime.block_on(async {
                    let mut connection = sqlx::PgConnection::connect(&url).await.unwrap();
                    let sql = "alter table orders add constraint _migrate_amount_not_null check (amount is not null);
                               alter table orders alter column amount set not null";
                    sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
                });
            });
            other.join().unwrap();
        }
    });
    let options = Options { large_table: 0, observer: Some(observer), ..Options::default() };
    Migrator::new(database.url()).unwrap().with_options(options).up(chain, None).await.unwrap();
    assert_eq!(state(&database).await, state(&plain).await);
    assert_eq!(database.dump().await, plain.dump().await);
}
