//! The same SQL, run by PostgreSQL and replayed by the model, makes the same schema.

use migrate_core::schema::Schema;
use migrate_core::{lower, replay};
use migrate_runtime::postgres::catalog;
use migrate_tests::case::Case;
use migrate_tests::{Database, Server, comparison, server, servers};
use sqlx::{AssertSqlSafe, Executor, PgConnection};
use std::fmt::Display;
use std::fs;
use std::path::Path;

#[tokio::test]
async fn the_catalog_reads_back_what_the_model_replays() {
    let mut failures = Vec::new();
    let mut objects = 0;
    for server in servers() {
        let version = version(server).await;
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/catalog/ddl");
        let mut files: Vec<_> = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        for file in files {
            let sql = fs::read_to_string(&file).unwrap();
            if since(&sql) <= version {
                let name = file.file_name().unwrap().to_string_lossy();
                let mut both = Both::new(server, format!("{name} on {version}")).await;
                both.run(&sql).await;
                objects += both.compare().await;
                failures.append(&mut both.failures);
            }
        }
    }
    assert!(objects >= 40, "only {objects} objects were compared");
    assert!(failures.is_empty(), "{} differences:\n{}", failures.len(), failures.join("\n"));
}

#[tokio::test]
async fn cases_are_read_back_before_and_after() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("cases");
    let version = version(server()).await;
    let mut failures = Vec::new();
    let mut both = Both::new(server(), String::new()).await;
    for file in Case::files(&directory).unwrap() {
        let case = Case::read(&file).unwrap();
        if case.refused || case.server.unwrap_or(13) > version {
            continue;
        }
        let name = file.strip_prefix(&directory).unwrap_or(&file).display();
        both.clear().await;
        both.name = format!("base of {name}");
        both.run(&case.base).await;
        both.compare().await;
        if both.failures.is_empty() && case.expected.iter().all(|(section, _)| section != "errors") {
            both.name = format!("migration of {name}");
            both.run(&case.migration).await;
            both.compare().await;
            if let Some((excused, reason)) = READ_OTHERWISE.iter().find(|(excused, _)| *excused == name.to_string()) {
                let differs = !std::mem::take(&mut both.failures).is_empty();
                assert!(differs, "{excused} is no exception any more: {reason}");
            }
        }
        failures.append(&mut both.failures);
    }
    assert!(failures.is_empty(), "{} differences:\n{}", failures.len(), failures.join("\n"));
}

/// Cases after which the catalog has something else than the model, and why.
const READ_OTHERWISE: [(&str, &str); 1] =
    [("lints/frozen_default/time_of_the_migration.case", "the server keeps the time of the migration, not the word")];

/// `-- server 15+` in the first line.
fn since(sql: &str) -> u32 {
    sql.lines().next().and_then(|line| line.strip_prefix("-- server ")?.strip_suffix('+')?.parse().ok()).unwrap_or(13)
}

async fn version(server: &Server) -> u32 {
    let database = Database::create(server).await;
    database.text("select (current_setting('server_version_num')::integer / 10000)::text").await.unwrap().parse().unwrap()
}

/// A database and the model of it.
struct Both {
    name: String,
    model: Schema,
    connection: PgConnection,
    failures: Vec<String>,
    _database: Database,
}

impl Both {
    async fn new(server: &Server, name: String) -> Self {
        let database = Database::create(server).await;
        let connection = database.connect().await;
        Self { name, model: Schema::default(), connection, failures: Vec::new(), _database: database }
    }

    /// Removes everything, which takes less time than another database.
    async fn clear(&mut self) {
        let sql = "do $$ declare name text; begin
            for name in select quote_ident(nspname) from pg_namespace where nspname !~ '^pg_' and nspname <> 'information_schema' loop
                execute 'drop schema ' || name || ' cascade';
            end loop;
            for name in select quote_ident(extname) from pg_extension where extname <> 'plpgsql' loop
                execute 'drop extension ' || name || ' cascade';
            end loop;
            create schema public;
            end $$";
        self.connection.execute("discard temporary; set client_min_messages to warning; reset search_path").await.unwrap();
        self.connection.execute(sqlx::raw_sql(AssertSqlSafe(sql))).await.unwrap();
        assert_eq!(catalog::snapshot(&mut self.connection).await.unwrap(), Schema::default());
        self.model = Schema::default();
    }

    fn fail(&mut self, problem: impl Display) {
        self.failures.push(format!("{}: {problem}", self.name));
    }

    async fn run(&mut self, sql: &str) {
        let statements = lower::parse(sql).unwrap_or_else(|problems| panic!("{}: {problems:?}", self.name));
        // one at a time: a new value of an enum type has to be committed before it is used
        for statement in statements {
            // which have a meaning only in a transaction, or to the engine, and leave nothing
            if statement.sql.starts_with("lock ") || statement.sql.starts_with("backfill ") {
                continue;
            }
            if let Err(error) = self.connection.execute(sqlx::raw_sql(AssertSqlSafe(statement.sql.clone()))).await {
                self.fail(format!("`{}` does not run: {error}", statement.sql));
            }
        }
        let mut steps = replay::steps(sql).unwrap_or_default();
        let report = replay::replay(&mut steps, &mut self.model, "test");
        if !report.is_empty() {
            self.fail(format!("the model reports {report:?}"));
        }
    }

    /// How many objects were compared.
    async fn compare(&mut self) -> usize {
        let live = catalog::snapshot(&mut self.connection).await.unwrap();
        let comparison = comparison::compare(&self.model, &live, &mut self.connection).await.unwrap();
        for difference in comparison.differences {
            self.fail(difference);
        }
        comparison.objects
    }
}
