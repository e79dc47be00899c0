//! Who stands in the way while a statement waits for a lock.

use super::backend::Postgres;
use crate::engine::{Blocker, Event, Options};
use crate::{Error, Result};
use sqlx::PgConnection;
use std::future::Future;
use std::pin::pin;
use std::time::Duration;

/// The first look, and the longest time between two.
const FIRST: Duration = Duration::from_millis(150);
const LONGEST: Duration = Duration::from_secs(2);

/// The sessions that those of our name wait for: ours are the only ones of it. A session of another role shows what it
/// runs to those only who may see that.
const BLOCKERS: &str = "select coalesce(pg_catalog.json_agg(pg_catalog.json_build_object(
        'pid', other.pid, 'user', coalesce(other.usename::text, ''), 'application', coalesce(other.application_name, ''),
        'client', coalesce(pg_catalog.host(other.client_addr), ''), 'state', coalesce(other.state, ''), 'query', coalesce(other.query, ''),
        'transaction_ms', (extract(epoch from pg_catalog.clock_timestamp() - other.xact_start) * 1000)::bigint) order by other.xact_start), '[]')::text
    from (select distinct pg_catalog.unnest(pg_catalog.pg_blocking_pids(own.pid)) as pid from pg_catalog.pg_stat_activity as own
          where own.application_name = pg_catalog.current_setting('application_name') and own.pid <> pg_catalog.pg_backend_pid()
          and own.wait_event_type = 'Lock') as waited_for
    join pg_catalog.pg_stat_activity as other on other.pid = waited_for.pid";

async fn blockers(guard: &mut PgConnection) -> Result<Vec<Blocker>> {
    let doing = "asking who holds the lock";
    let text = Postgres::text(guard, doing, BLOCKERS).await?.unwrap_or_default();
    serde_json::from_str(&text).map_err(|error| Error::Format { doing, reason: error.to_string() })
}

/// Does something, and looks meanwhile, on the connection of the guard, whether somebody stands in its way, which is told.
/// With the answer comes who did at the last look.
pub(super) async fn watched<T>(guard: Option<&mut PgConnection>, options: &Options, work: impl Future<Output = T>) -> (T, Vec<Blocker>) {
    let mut work = pin!(work);
    let Some(guard) = guard else { return (work.await, Vec::new()) };
    let mut last = Vec::new();
    // a statement that gives up early is looked at before it does
    let mut pause = FIRST.min(options.lock_timeout / 2);
    loop {
        tokio::select! {
            biased;
            done = &mut work => return (done, last),
            () = tokio::time::sleep(pause) => {}
        }
        let mut look = pin!(blockers(guard));
        let (done, found) = tokio::select! {
            biased;
            // a connection that is left in the middle of an answer is of no use
            found = &mut look => (None, found),
            done = &mut work => (Some(done), look.await),
        };
        // that nobody can be asked who it is makes no difference to the wait
        let found = found.unwrap_or_default();
        if !found.is_empty() {
            options.tell(&Event::Blocked { by: found.clone() });
            last = found;
        }
        if let Some(done) = done {
            return (done, last);
        }
        pause = (pause * 2).min(LONGEST);
    }
}
