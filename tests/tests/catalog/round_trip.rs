//! The same SQL, run by PostgreSQL and replayed by the model, makes the same schema.

use migrate_core::expression::Sameness;
use migrate_core::schema::{Definition, ObjectKey, Schema};
use migrate_core::verdict::{Question, Subject};
use migrate_core::{lower, replay};
use migrate_runtime::postgres::{catalog, normalize};
use migrate_tests::case::Case;
use migrate_tests::{Database, Server, server, servers};
use sqlx::{AssertSqlSafe, Executor, PgConnection};
use std::collections::BTreeSet;
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
        if case.server.unwrap_or(13) > version {
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
        }
        failures.append(&mut both.failures);
    }
    assert!(failures.is_empty(), "{} differences:\n{}", failures.len(), failures.join("\n"));
}

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
        self.connection.execute("set client_min_messages to warning; reset search_path").await.unwrap();
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
        let mut differences = Differences { model: &self.model, live: &live, questions: Vec::new(), found: Vec::new() };
        let mut keys: BTreeSet<ObjectKey> = keys(&self.model).chain(keys(&live)).collect();
        keys.retain(|key| !self.model.is_known_by_name(key));
        for key in &keys {
            differences.compare(key);
        }
        let Differences { questions, mut found, .. } = differences;
        let answers = normalize::answer(&mut self.connection, &questions, false).await.unwrap();
        let different = questions.iter().zip(answers).filter(|(_, same)| !same);
        found.extend(
            different.map(|(Question { key, aspect, model, live, .. }, _)| {
                format!("{key}: {aspect} is {live}, expected {model}, says the server")
            }),
        );
        for difference in found {
            self.fail(difference);
        }
        keys.len()
    }
}

fn keys(schema: &Schema) -> impl Iterator<Item = ObjectKey> {
    let indexes = |table: &migrate_core::schema::Table| {
        table.indexes.keys().map(|index| ObjectKey::Index(table.name.sibling(index.clone()))).collect::<Vec<_>>()
    };
    let tables = schema.tables.values().flat_map(move |table| {
        let mut keys = indexes(table);
        keys.push(ObjectKey::Table(table.name.clone()));
        keys
    });
    (schema.schemas.keys().cloned().map(ObjectKey::Schema))
        .chain(schema.extensions.keys().cloned().map(ObjectKey::Extension))
        .chain(tables)
        .chain(schema.enums.keys().cloned().map(ObjectKey::Enum))
        .chain(schema.sequences.keys().cloned().map(ObjectKey::Sequence))
        .chain(schema.views.keys().cloned().map(ObjectKey::View))
        .chain(schema.trigger_keys())
}

struct Differences<'a> {
    model: &'a Schema,
    live: &'a Schema,
    questions: Vec<Question>,
    found: Vec<String>,
}

impl Differences<'_> {
    fn compare(&mut self, key: &ObjectKey) {
        match (self.model.definition(key), self.live.definition(key)) {
            (Some(model), Some(live)) => self.compare_definitions(key, &model, &live),
            (Some(_), None) => self.found.push(format!("{key} is not in the catalog")),
            (None, Some(_)) => self.found.push(format!("{key} is not in the model")),
            (None, None) => unreachable!("a key of one of the two"),
        }
    }

    fn compare_definitions(&mut self, key: &ObjectKey, model: &Definition, live: &Definition) {
        let aspects: BTreeSet<&str> = model.facts.iter().chain(&live.facts).map(|fact| fact.aspect.as_str()).collect();
        for aspect in aspects {
            let (expected, found) = (model.get(aspect), live.get(aspect));
            let sameness = match (expected, found) {
                (Some(expected), Some(found)) => expected.compare(found),
                _ => Sameness::Different,
            };
            let text = |value: Option<&migrate_core::schema::Value>| value.map(ToString::to_string).unwrap_or_default();
            match sameness {
                Sameness::Equal => {}
                Sameness::Unknown => self.questions.push(Question {
                    key: key.clone(),
                    aspect: aspect.to_owned(),
                    subject: Subject::of(self.live, key, aspect),
                    model: text(expected),
                    live: text(found),
                }),
                Sameness::Different => {
                    self.found.push(format!("{key}: {aspect} is {:?}, expected {:?}", text(found), text(expected)));
                }
            }
        }
    }
}
