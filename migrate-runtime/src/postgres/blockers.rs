//! Who stands in the way while a statement waits for a lock.

use super::backend::Postgres;
use super::connect;
use crate::engine::{Blocker, Building, Event, Options};
use crate::{Error, Result};
use sqlx::postgres::PgConnectOptions;
use sqlx::{Connection as _, PgConnection};
use std::future::Future;
use std::pin::pin;
use std::time::{Duration, Instant};

/// The first look, and the shortest and the longest time between two.
const FIRST: Duration = Duration::from_millis(150);
const SHORTEST: Duration = Duration::from_millis(10);
const LONGEST: Duration = Duration::from_secs(2);

/// What is between us and the server forgets connections on which nothing is said, some of it after half a minute: after this
/// the guard says something.
const SILENCE: Duration = Duration::from_secs(10);

/// What those sessions of our name wait for, and for whom: ours are the only ones of it. A session of another role shows
/// what it runs to those only who may see that.
const LOOK: &str = "with own as materialized (
        select pid, pg_catalog.pg_blocking_pids(pid) as blockers from pg_catalog.pg_stat_activity
        where application_name = pg_catalog.current_setting('application_name') and pid <> pg_catalog.pg_backend_pid()
        and wait_event_type = 'Lock')
    select pg_catalog.json_build_object(
        'waited_for', (select coalesce(pg_catalog.min(l.mode || ' on ' || coalesce(l.relation::pg_catalog.regclass::text, l.locktype)), '')
            from pg_catalog.pg_locks as l where not l.granted and l.pid in (select pid from own)),
        'blockers', (select coalesce(pg_catalog.json_agg(pg_catalog.json_build_object(
                'pid', other.pid, 'user', coalesce(other.usename::text, ''), 'application', coalesce(other.application_name, ''),
                'client', coalesce(pg_catalog.host(other.client_addr), ''), 'state', coalesce(other.state, ''), 'query', coalesce(other.query, ''),
                'transaction_ms', (pg_catalog.date_part('epoch', pg_catalog.clock_timestamp() - other.xact_start) * 1000::double precision)::bigint
            ) order by other.xact_start), '[]')
            from pg_catalog.pg_stat_activity as other where other.pid in (select pg_catalog.unnest(blockers) from own)),
        'building', (select pg_catalog.json_build_object(
                'table', p.relid::pg_catalog.regclass::text, 'index', nullif(p.index_relid, 0)::pg_catalog.regclass::text, 'phase', p.phase,
                'done', case when p.blocks_total > 0 then p.blocks_done when p.tuples_total > 0 then p.tuples_done else p.lockers_done end,
                'total', case when p.blocks_total > 0 then p.blocks_total when p.tuples_total > 0 then p.tuples_total else p.lockers_total end,
                'unit', case when p.blocks_total > 0 then 'blocks' when p.tuples_total > 0 then 'rows' else 'sessions' end)
            from pg_catalog.pg_stat_progress_create_index as p where p.datname = pg_catalog.current_database() and p.pid in (
                select pid from pg_catalog.pg_stat_activity
                where application_name = pg_catalog.current_setting('application_name') and pid <> pg_catalog.pg_backend_pid())
            limit 1))::text";

/// What a look has found.
#[derive(Debug, Default, serde::Deserialize)]
struct Look {
    waited_for: String,
    blockers: Vec<Blocker>,
    building: Option<Building>,
}

/// A wait for a lock, as it was seen: up to the time between two looks longer than that.
#[derive(Clone, Debug)]
pub(super) struct Wait {
    /// The lock and the table, or the kind of lock.
    pub(super) waited_for: String,
    /// Who had it.
    pub(super) blockers: Vec<Blocker>,
    /// How long it was seen.
    pub(super) lasted: Duration,
}

/// The transaction that holds the migration lock, and who looks for what stands in the way. That is done on a connection of
/// its own: a concurrent index build that collects old snapshots while the guard is at a statement would wait for the end
/// of its transaction, which is the end of the migration.
#[derive(Debug)]
pub(super) struct Guard {
    /// The idle transaction.
    pub(super) holds: PgConnection,
    connect: PgConnectOptions,
    looks: Option<PgConnection>,
    /// When something was last said on it.
    said: Instant,
}

impl Guard {
    pub(super) fn new(holds: PgConnection, connect: PgConnectOptions) -> Self {
        Self { holds, connect, looks: None, said: Instant::now() }
    }

    /// Says something, if nothing was said for long. No statement: that would hold a snapshot.
    pub(super) async fn keep(&mut self) {
        if self.said.elapsed() >= SILENCE {
            self.said = Instant::now();
            // whether the guard is gone is what the server tells at the begin of every transaction
            let _ = tokio::time::timeout(LONGEST, self.holds.ping()).await;
        }
    }

    /// Gives the lock back.
    pub(super) async fn end(self) -> Result<(), sqlx::Error> {
        if let Some(looks) = self.looks {
            // a farewell that isn't heard changes nothing
            let _ = looks.close().await;
        }
        self.holds.close().await
    }
}

async fn look(guard: &mut Guard) -> Result<Look> {
    let doing = "asking who holds the lock";
    let mut looks = match guard.looks.take() {
        Some(looks) => looks,
        None => connect::connect(&guard.connect).await?,
    };
    // one that fails, or is given up in the middle of an answer, is not used again
    let text = Postgres::text(&mut looks, doing, LOOK).await?.unwrap_or_default();
    guard.looks = Some(looks);
    serde_json::from_str(&text).map_err(|error| Error::Format { doing, reason: error.to_string() })
}

/// Does something, and looks meanwhile whether somebody stands in its way, which is told.
/// With the answer come the waits that were seen.
pub(super) async fn watched<T>(guard: Option<&mut Guard>, options: &Options, work: impl Future<Output = T>) -> (T, Vec<Wait>) {
    let mut work = pin!(work);
    let Some(guard) = guard else { return (work.await, Vec::new()) };
    let mut waits: Vec<Wait> = Vec::new();
    let mut since: Option<Instant> = None;
    let mut building: Option<Building> = None;
    // a statement that gives up early is looked at before it does
    let mut pause = FIRST.min(options.lock_timeout / 2).max(SHORTEST);
    loop {
        let slept = tokio::select! {
            biased;
            done = &mut work => Some(done),
            () = tokio::time::sleep(pause) => None,
        };
        if let (Some(since), Some(wait)) = (since, waits.last_mut()) {
            wait.lasted = since.elapsed();
        }
        if let Some(done) = slept {
            return (done, waits);
        }
        let mut look = pin!(look(guard));
        let (done, found) = tokio::select! {
            biased;
            found = &mut look => (None, found),
            // a connection that is left in the middle of an answer is of no use, unless there is no answer to come
            done = &mut work => (Some(done), tokio::time::timeout(LONGEST, look).await.unwrap_or_else(|_| Ok(Look::default()))),
        };
        // that nobody can be asked who it is makes no difference to the wait
        let found = found.unwrap_or_default();
        if let Some(now) = found.building
            && building.as_ref() != Some(&now)
        {
            options.tell(&Event::Building(now.clone()));
            building = Some(now);
        }
        if found.blockers.is_empty() {
            since = None;
        } else {
            options.tell(&Event::Blocked { by: found.blockers.clone() });
            let goes_on = since.is_some() && waits.last().is_some_and(|wait| wait.waited_for == found.waited_for);
            if let Some(wait) = waits.last_mut().filter(|_| goes_on) {
                wait.blockers = found.blockers;
            } else {
                since = Some(Instant::now());
                waits.push(Wait { waited_for: found.waited_for, blockers: found.blockers, lasted: Duration::ZERO });
            }
        }
        if let Some(done) = done {
            return (done, waits);
        }
        pause = (pause * 2).min(LONGEST);
    }
}
