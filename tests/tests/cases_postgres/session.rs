//! The session that runs the operations of a case, and the two that watch what can't be in a transaction.

use crate::compare::differences;
use crate::observe::{Relations, Seen, locks, relations};
use migrate_core::effects::{Effects, LockMode, TransactionNeed};
use migrate_core::name::quote_literal;
use migrate_core::operation::{Operate, Operation};
use migrate_core::schema::Schema;
use migrate_tests::Database;
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, Row};
use std::collections::BTreeMap;
use std::time::Duration;

/// Looking something up is never a sequential scan where there is an index for it, so that what is read whole shows.
const PREFER_INDEXES: &str = "set enable_seqscan = off; set enable_hashjoin = off; set enable_mergejoin = off; \
                              set enable_bitmapscan = off; set enable_indexonlyscan = off";
const NOT_IN_A_TRANSACTION: &str = "25001";
const NOT_BEFORE_COMMIT: &str = "55P04";

/// The sessions that look at what runs outside of a transaction.
struct Watchers {
    /// Hold it up, one after the other.
    blockers: [PgConnection; 2],
    /// How many of them still do.
    blocking: usize,
    /// How often it was seen to wait since the last one let go.
    waited: u32,
    /// Looks at what it holds meanwhile.
    watcher: PgConnection,
}

impl Watchers {
    async fn connect(url: &str) -> Result<Self, sqlx::Error> {
        let blockers = [PgConnection::connect(url).await?, PgConnection::connect(url).await?];
        Ok(Self { blockers, blocking: 0, waited: 0, watcher: PgConnection::connect(url).await? })
    }

    /// A statement that works concurrently waits, with its locks held, for who looks at its table, and for older snapshots.
    /// One blocker looks at the tables that have others below them and has such a snapshot; when it lets go, the other one,
    /// which looks at all the rest, is in the way of what is done to a partition in the end.
    async fn block(&mut self, relations: &Relations) -> Result<(), sqlx::Error> {
        execute(&mut self.blockers[1], "begin isolation level repeatable read; select").await?;
        execute(&mut self.blockers[0], "begin").await?;
        for relation in relations.values().filter(|relation| relation.readable) {
            let blocker = &mut self.blockers[usize::from(relation.has_children)];
            execute(blocker, &format!("select from only {} limit 0", relation.name.quoted())).await?;
        }
        (self.blocking, self.waited) = (self.blockers.len(), 0);
        Ok(())
    }

    /// Adds the locks that the backend holds or waits for, and lets it go on if it waits.
    async fn look(&mut self, backend: i32, held: &mut BTreeMap<i64, LockMode>) -> Result<(), sqlx::Error> {
        self.waited += u32::from(waits(&mut self.watcher, backend).await?);
        for (oid, mode) in locks(&mut self.watcher, backend).await? {
            let strongest = held.entry(oid).or_insert(mode);
            *strongest = mode.max(*strongest);
        }
        // it may not have noticed yet that it can go on
        if self.waited > 10 { self.release().await } else { Ok(()) }
    }

    /// Lets the next blocker go.
    async fn release(&mut self) -> Result<(), sqlx::Error> {
        if self.blocking > 0 {
            (self.blocking, self.waited) = (self.blocking - 1, 0);
            execute(&mut self.blockers[self.blocking], "commit").await?;
        }
        Ok(())
    }
}

/// The sessions of a case.
pub struct Session {
    connection: PgConnection,
    watchers: Option<Watchers>,
    url: String,
    backend: i32,
    version: u32,
}

impl Session {
    pub async fn connect(database: &Database) -> Self {
        let mut connection = database.connect().await;
        connection.execute(sqlx::raw_sql(PREFER_INDEXES)).await.unwrap();
        let identity = "select pg_backend_pid() as backend, current_setting('server_version_num')::integer / 10000 as version";
        let row = connection.fetch_one(sqlx::raw_sql(identity)).await.unwrap();
        let version: i32 = row.get("version");
        Self {
            connection,
            watchers: None,
            url: database.url().to_owned(),
            backend: row.get("backend"),
            version: version.try_into().unwrap(),
        }
    }

    /// The server's major version.
    pub fn version(&self) -> u32 {
        self.version
    }

    pub async fn execute(&mut self, sql: &str) -> Result<(), sqlx::Error> {
        execute(&mut self.connection, sql).await
    }

    /// Runs an operation and tells what is otherwise than its effects state.
    pub async fn run(&mut self, operation: &Operation, model: &Schema, effects: &Effects) -> Result<Vec<String>, String> {
        // in batches it is the engine's: what it does to the rows is the statement's
        if let Operation::Backfill(backfill) = operation {
            return self.run_plainly(&backfill.whole().into_iter().collect::<Vec<_>>()).await.map(|()| Vec::new());
        }
        let sql = operation.render();
        let mut found = Vec::new();
        let seen = if effects.transaction == TransactionNeed::Outside {
            if !self.is_refused_inside(&sql).await? {
                found.push("transaction: stated outside, but it isn't refused inside".to_owned());
            }
            if effects.unknown { None } else { Some(self.run_outside(&sql).await?) }
        } else {
            let seen = self.run_inside(operation, &sql, effects, &mut found).await?;
            if seen.is_none() {
                found.push("transaction: stated inside, but it is refused there".to_owned());
            }
            seen
        };
        if seen.is_none() {
            self.run_plainly(&sql).await?;
        }
        if let Some(seen) = seen.filter(|_| !effects.unknown) {
            found.extend(differences(model, operation, self.version, &seen));
        }
        Ok(found)
    }

    async fn is_refused_inside(&mut self, statements: &[String]) -> Result<bool, String> {
        self.execute("begin").await.map_err(|error| error.to_string())?;
        let mut refused = false;
        for sql in statements {
            if let Err(error) = self.execute(sql).await {
                refused = has_code(&error, NOT_IN_A_TRANSACTION);
                break;
            }
        }
        self.execute("rollback").await.map_err(|error| error.to_string())?;
        Ok(refused)
    }

    async fn run_plainly(&mut self, statements: &[String]) -> Result<(), String> {
        for sql in statements {
            self.execute(sql).await.map_err(|error| does_not_run(sql, &error))?;
        }
        Ok(())
    }

    /// `None`: it is refused in a transaction.
    async fn run_inside(
        &mut self,
        operation: &Operation,
        sql: &[String],
        effects: &Effects,
        found: &mut Vec<String>,
    ) -> Result<Option<Seen>, String> {
        let failed = |error: sqlx::Error| error.to_string();
        self.execute("begin").await.map_err(failed)?;
        let before = relations(&mut self.connection).await.map_err(failed)?;
        for sql in sql {
            if let Err(error) = self.execute(sql).await {
                self.execute("rollback").await.map_err(failed)?;
                return if has_code(&error, NOT_IN_A_TRANSACTION) { Ok(None) } else { Err(does_not_run(sql, &error)) };
            }
        }
        let locks = locks(&mut self.connection, self.backend).await.map_err(failed)?;
        let after = relations(&mut self.connection).await.map_err(failed)?;
        let usable = self.new_value_is_usable(operation).await.map_err(failed)?;
        if usable.is_some_and(|usable| usable == (effects.transaction == TransactionNeed::CommitBeforeUse)) {
            found.push(format!("transaction: stated {:?}, but what it adds is usable: {usable:?}", effects.transaction));
        }
        self.execute("commit").await.map_err(failed)?;
        Ok(Some(Seen::between(&before, &after, &locks)))
    }

    /// Whether the value that was added to an enum can be used in the same transaction.
    async fn new_value_is_usable(&mut self, operation: &Operation) -> Result<Option<bool>, sqlx::Error> {
        let Operation::AddEnumValue(added) = operation else { return Ok(None) };
        self.execute("savepoint use").await?;
        let sql = format!("select {}::{}", quote_literal(added.label.as_str()), added.name.quoted());
        let used = self.execute(&sql).await;
        self.execute("rollback to savepoint use").await?;
        match used {
            Ok(()) => Ok(Some(true)),
            Err(error) if has_code(&error, NOT_BEFORE_COMMIT) => Ok(Some(false)),
            Err(error) => Err(error),
        }
    }

    async fn run_outside(&mut self, statements: &[String]) -> Result<Seen, String> {
        let failed = |error: sqlx::Error| error.to_string();
        let before = relations(&mut self.connection).await.map_err(failed)?;
        let watchers = if let Some(watchers) = &mut self.watchers {
            watchers
        } else {
            self.watchers.insert(Watchers::connect(&self.url).await.map_err(failed)?)
        };
        watchers.block(&before).await.map_err(failed)?;
        let mut held = BTreeMap::new();
        for sql in statements {
            let statement = execute(&mut self.connection, sql);
            tokio::pin!(statement);
            loop {
                tokio::select! {
                    ran = &mut statement => {
                        ran.map_err(|error| does_not_run(sql, &error))?;
                        break;
                    }
                    () = tokio::time::sleep(Duration::from_millis(5)) => watchers.look(self.backend, &mut held).await.map_err(failed)?,
                }
            }
        }
        while watchers.blocking > 0 {
            watchers.release().await.map_err(failed)?;
        }
        let after = relations(&mut self.connection).await.map_err(failed)?;
        let seen = Seen::between(&before, &after, &held);
        // an older server's counts come late
        Ok(if self.version < 15 { Seen { scans: None, ..seen } } else { seen })
    }
}

async fn execute(connection: &mut PgConnection, sql: &str) -> Result<(), sqlx::Error> {
    connection.execute(sqlx::raw_sql(AssertSqlSafe(sql.to_owned()))).await.map(drop)
}

/// Whether this backend waits for another transaction.
async fn waits(connection: &mut PgConnection, backend: i32) -> Result<bool, sqlx::Error> {
    let sql = format!("select exists (select from pg_catalog.pg_locks where pid = {backend} and not granted) as waits");
    connection.fetch_one(sqlx::raw_sql(AssertSqlSafe(sql))).await?.try_get("waits")
}

fn has_code(error: &sqlx::Error, code: &str) -> bool {
    error.as_database_error().and_then(sqlx::error::DatabaseError::code).as_deref() == Some(code)
}

fn does_not_run(sql: &str, error: &sqlx::Error) -> String {
    format!("`{sql}` does not run: {error}")
}
