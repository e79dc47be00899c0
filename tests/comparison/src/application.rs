//! An application that goes on while migrations are run.

use migrate_tests::Database;
use sqlx::{AssertSqlSafe, Executor as _};
use std::future::Future;
use std::pin::pin;
use std::time::{Duration, Instant};

/// Runs a statement again and again until the work is done, and gives the longest time that it took.
pub async fn worst_stall<T>(database: &Database, sql: &str, work: impl Future<Output = T>) -> (T, Duration) {
    let mut application = database.connect().await;
    let (mut work, mut worst) = (pin!(work), Duration::ZERO);
    loop {
        let sent = Instant::now();
        let asked = application.execute(sqlx::raw_sql(AssertSqlSafe(sql)));
        // whoever waits for an answer goes on waiting when the work is done
        let done = tokio::select! {
            biased;
            answered = asked => {
                answered.unwrap();
                None
            }
            done = &mut work => Some(done),
        };
        worst = worst.max(sent.elapsed());
        if let Some(done) = done {
            return (done, worst);
        }
        let pause = tokio::time::sleep(Duration::from_millis(2));
        tokio::select! {
            done = &mut work => return (done, worst),
            () = pause => {}
        }
    }
}

/// Waits until a query gives `true`; tells whether it ever did.
pub async fn until(database: &Database, condition: &str) -> bool {
    for _ in 0..1500 {
        if database.text(&format!("select ({condition})::text")).await.unwrap() == "true" {
            return true;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    false
}
