//! A SQLite database in memory, and the model of it.

use super::catalog;
use migrate_core::operation::{Operate, Operation};
use migrate_core::replay;
use migrate_core::schema::{Origin, Schema};
use migrate_core::sqlite::{self, SqliteStep, Unsupported, overlay, plan, project};
use migrate_core::step::Action;
use migrate_core::verdict::Verdict;
use sqlx::{AssertSqlSafe, Connection, Row, SqliteConnection};

pub struct Database {
    pub connection: SqliteConnection,
    pub model: Schema,
}

/// Why an operation wasn't done.
#[derive(Debug)]
pub enum Failure {
    Unsupported(Unsupported),
    Verdict(Verdict),
    Database(sqlx::Error),
    /// Rows that refer to nothing.
    Orphans(usize),
}

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(error)
    }
}

impl Failure {
    pub fn text(&self) -> String {
        match self {
            Self::Unsupported(unsupported) => unsupported.message.clone(),
            Self::Database(error) => error.to_string(),
            Self::Verdict(verdict) => format!("{verdict:?}"),
            Self::Orphans(count) => format!("{count} orphans"),
        }
    }
}

impl Database {
    pub async fn new() -> Self {
        Self { connection: SqliteConnection::connect("sqlite::memory:").await.unwrap(), model: Schema::default() }
    }

    /// A database made by this PostgreSQL DDL.
    pub async fn with(sql: &str) -> Self {
        let mut database = Self::new().await;
        database.migrate(sql).await.unwrap_or_else(|failure| panic!("{sql}: {failure:?}"));
        database
    }

    /// Does every operation of `sql`, each in a transaction of its own, and holds the result against the model.
    pub async fn migrate(&mut self, sql: &str) -> Result<Vec<SqliteStep>, Failure> {
        let mut all = Vec::new();
        for step in replay::steps(sql).unwrap() {
            let Action::Change(mut operation) = step.action else { continue };
            operation.bind(&self.model);
            all.extend(self.perform(&operation).await?);
        }
        Ok(all)
    }

    pub async fn perform(&mut self, operation: &Operation) -> Result<Vec<SqliteStep>, Failure> {
        let live = self.snapshot().await;
        let mut model_after = self.model.clone();
        operation.apply(&mut model_after, &Origin::default());
        let changes = sqlite::changes(operation, &self.model, &model_after);
        let verdict = sqlite::verdict(operation, &changes, &self.model, &live);
        let before = overlay(&self.model, &live);
        let mut after = before.clone();
        operation.apply(&mut after, &Origin::default());
        let steps = plan(operation, &before, &after).map_err(Failure::Unsupported)?;
        match verdict {
            Verdict::Before => self.execute(&steps).await?,
            Verdict::After => assert_eq!(steps, [], "satisfied, but {} has steps", operation.describe()),
            verdict => return Err(Failure::Verdict(verdict)),
        }
        let live = self.snapshot().await;
        let again = sqlite::verdict(operation, &changes, &self.model, &live);
        if changes.iter().any(|change| change.before != change.after) {
            assert_eq!(again, Verdict::After, "after {}", operation.describe());
        }
        self.model = model_after;
        Ok(steps)
    }

    /// As the engine does it: foreign keys off outside of the transaction, and checked before the commit.
    async fn execute(&mut self, steps: &[SqliteStep]) -> Result<(), Failure> {
        let rebuilds = steps.iter().any(|step| matches!(step, SqliteStep::Rebuild { .. }));
        if rebuilds {
            self.run("pragma foreign_keys = off").await?;
        }
        self.run("begin; savepoint operation").await?;
        let result = self.run_all(steps, rebuilds).await;
        match &result {
            Ok(()) => self.run("release operation; commit").await?,
            Err(_) => self.run("rollback to operation; rollback; pragma legacy_alter_table = off").await?,
        }
        self.run("pragma foreign_keys = on").await?;
        result
    }

    async fn run_all(&mut self, steps: &[SqliteStep], rebuilds: bool) -> Result<(), Failure> {
        for statement in steps.iter().flat_map(SqliteStep::statements) {
            self.run(statement).await?;
        }
        if rebuilds {
            let orphans = sqlx::query("pragma foreign_key_check").fetch_all(&mut self.connection).await?.len();
            if orphans > 0 {
                return Err(Failure::Orphans(orphans));
            }
        }
        Ok(())
    }

    pub async fn run(&mut self, sql: &str) -> Result<(), sqlx::Error> {
        sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut self.connection).await.map(|_| ())
    }

    /// The first column of all rows, as text.
    pub async fn rows(&mut self, sql: &str) -> Vec<String> {
        let rows = sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).fetch_all(&mut self.connection).await.unwrap();
        rows.iter().map(|row| row.try_get_unchecked::<Option<String>, _>(0).unwrap().unwrap_or_else(|| "null".to_owned())).collect()
    }

    /// The text of everything, as SQLite keeps it.
    pub async fn schema(&mut self) -> Vec<String> {
        self.rows("select coalesce(sql, name) from sqlite_schema order by type, name").await
    }

    pub async fn snapshot(&mut self) -> Schema {
        catalog::snapshot(&mut self.connection).await.unwrap()
    }

    /// Holds the database against the model: each is what the other says, object by object.
    pub async fn assert_like_model(&mut self) {
        let mut live = self.snapshot().await;
        // of a table made by a query the model may know no more than its name
        for (name, other) in &self.model.others {
            if live.tables.remove(name).is_some() {
                live.others.insert(name.clone(), other.clone());
            }
        }
        let projected = project(&self.model);
        assert_eq!(live.print(), projected.print());
        assert_eq!(project(&overlay(&self.model, &live)).print(), live.print(), "overlay");
        assert_eq!(project(&projected), projected, "twice");
        assert_eq!(project(&live).print(), live.print(), "live");
    }
}
