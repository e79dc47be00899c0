//! What a dead migrator has left at work: a server goes on with the message that it has, although nobody will hear the
//! answer, while the guard went with the socket that held it.
//!
//! A transaction of ours first joins those that are at work, and makes sure that the guard which it was sent under is still
//! held. Whoever has taken the guard waits for those that are at work before the history is read: what they commit is in
//! it. One that begins later finds its guard gone, and does nothing.

use super::backend::Postgres;
use crate::engine::{Decision, Failure, Planned};
use crate::{Error, Event, Result};
use migrate_core::name::quote_literal;
use migrate_core::operation::{Operate as _, Operation};
use migrate_core::ops::{DetachMode, DetachPartition};
use migrate_core::step::Action;
use sqlx::{AssertSqlSafe, PgConnection, Row as _};
use std::time::{Duration, Instant};

/// The key of the advisory lock that transactions at work share: `migratf`, next to the guard's.
const WORK_KEY: i64 = 0x006d_6967_7261_7466;

/// What the server makes an error of where the guard is gone.
const GUARD_IS_GONE: &str = "the session that held the migration lock has ended";

const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// The first column of the last row.
pub(super) async fn last_text(connection: &mut PgConnection, doing: &'static str, sql: String) -> Result<Option<String>> {
    let rows = sqlx::raw_sql(AssertSqlSafe(sql)).fetch_all(connection).await;
    let rows = rows.map_err(|error| Error::server(doing, error))?;
    Ok(rows.last().and_then(|row| row.try_get::<String, _>(0).ok()))
}

impl Postgres {
    /// Columns of a query at the begin of a transaction, which joins those at work, unless the guard is gone.
    pub(super) fn at_work(&self) -> String {
        // what the planner could compute beforehand would be an error always
        let refuse = format!("({} || pg_catalog.version())::integer", quote_literal(&format!("{GUARD_IS_GONE}: ")));
        let key = self.guard_key;
        format!(
            "pg_catalog.pg_advisory_xact_lock_shared({WORK_KEY}), \
             case when pg_catalog.pg_try_advisory_xact_lock_shared({key}) then {refuse} end"
        )
    }

    /// The reason, if that is why a transaction was not begun.
    pub(super) fn guard_is_gone(error: &sqlx::Error) -> Option<String> {
        let gone = matches!(error, sqlx::Error::Database(error) if error.message().contains(GUARD_IS_GONE));
        gone.then(|| GUARD_IS_GONE.to_owned())
    }

    /// Waits until no transaction of an earlier migrator is at work, and gives the answers to `questions`, each of them one
    /// text, as of then. All that is asked at once, and outside of the guard's transaction: a concurrent build that collects
    /// old snapshots at that moment would wait for its end, and we for the build's.
    pub(super) async fn wait_for_remains(&mut self, questions: &[&str]) -> Result<Vec<Option<String>>> {
        let doing = "waiting for what an earlier migrator has left at work";
        // gone with its message: our own transactions want to share it
        let look = format!("select pg_catalog.pg_try_advisory_xact_lock({WORK_KEY})::text;\n{}", questions.join(";\n"));
        let (began, mut pause) = (Instant::now(), Duration::from_millis(20));
        loop {
            let rows = sqlx::raw_sql(AssertSqlSafe(look.clone())).fetch_all(&mut self.connection).await;
            let rows = rows.map_err(|error| Error::server(doing, error))?;
            let mut texts = rows.iter().map(|row| row.try_get::<Option<String>, _>(0).ok().flatten());
            if texts.next().flatten().as_deref() == Some("true") {
                return Ok(texts.collect());
            }
            let holder = "a session whose migrator is gone (in pg_locks, an advisory lock)".to_owned();
            if !self.waits_longer(holder.clone(), began, &mut pause).await {
                return Err(Error::Locked { holder, waited: began.elapsed() });
            }
        }
    }

    /// Waits a little longer for that session. `false`: there is no patience left.
    async fn waits_longer(&self, holder: String, began: Instant, pause: &mut Duration) -> bool {
        if began.elapsed() >= self.options.guard_wait {
            return false;
        }
        self.options.tell(&Event::WaitingForLock { holder });
        tokio::time::sleep(*pause).await;
        *pause = (*pause * 2).min(LONGEST_PAUSE);
        true
    }

    /// Waits a little longer for that session, which a step can't be run beside.
    pub(super) async fn wait_for(&self, planned: &Planned, holder: String, began: Instant, pause: &mut Duration) -> Result<(), Failure> {
        if self.waits_longer(holder.clone(), began, pause).await {
            return Ok(());
        }
        Err(Failure::Unfinished {
            place: planned.place.clone(),
            sql: planned.sql.join(";\n"),
            message: format!("somebody else is still at work after {:.1?}: {holder}", began.elapsed()),
            sqlstate: None,
            now: "what was done before it holds, and the same command goes on from there".to_owned(),
            help: "wait until that session is done, or end it (`select pg_terminate_backend(pid)`), then run the same command again"
                .to_owned(),
        })
    }

    /// A statement outside of a transaction can't join anything. Waits while another session runs the same one, and then
    /// looks again whether it still has to be done.
    pub(super) async fn reconsider_outside(&mut self, planned: &Planned) -> Result<Option<Decision>, Failure> {
        let doing = "looking for a session that runs the same statement";
        let texts: Vec<String> = planned.sql.iter().map(|sql| quote_literal(sql)).collect();
        // the server keeps the beginning of long ones
        let same = format!(
            "select pg_catalog.min(a.pid)::text from pg_catalog.pg_stat_activity as a \
             where a.datname = pg_catalog.current_database() and a.pid <> pg_catalog.pg_backend_pid() and a.state = 'active' and a.query <> '' \
             and exists (select from pg_catalog.unnest(array[{}]::text[]) as t (sql) where pg_catalog.starts_with(t.sql, a.query))",
            texts.join(", ")
        );
        let (began, mut waited, mut pause) = (Instant::now(), false, Duration::from_millis(20));
        while let Some(pid) = last_text(&mut self.connection, doing, same.clone()).await? {
            self.wait_for(planned, format!("pid {pid}, which runs the same statement"), began, &mut pause).await?;
            waited = true;
        }
        if waited { Ok(self.look_again(planned).await?) } else { Ok(None) }
    }

    /// Whether somebody else has done what a statement outside of a transaction was to do.
    pub(super) async fn look_again(&mut self, planned: &Planned) -> Result<Option<Decision>> {
        // nothing to compare is no proof
        if planned.changes.is_empty() {
            return Ok(None);
        }
        let live = self.snapshot_here().await?;
        Ok(planned.reconsider::<Self>(&live))
    }

    /// The statements that do a step outside of a transaction, or finish what an interrupted one has begun.
    pub(super) async fn statements(&mut self, planned: &Planned) -> Result<Vec<String>> {
        if let Action::Change(Operation::DetachPartition(detach)) = &planned.step.action
            && detach.mode == DetachMode::Concurrently
        {
            let pending = format!(
                "select 'pending' from pg_catalog.pg_inherits where inhdetachpending and inhrelid = pg_catalog.to_regclass({})",
                quote_literal(&detach.partition.quoted())
            );
            if last_text(&mut self.connection, "looking for an interrupted detachment", pending).await?.is_some() {
                return Ok(DetachPartition { mode: DetachMode::Finalize, ..detach.clone() }.render());
            }
        }
        Ok(planned.sql.clone())
    }
}
