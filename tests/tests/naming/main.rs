//! What PostgreSQL calls what has no name, compared with what the model says: a table of statements and random ones.

mod random;
mod statements;

use migrate_core::name::QualifiedName;
use migrate_core::replay;
use migrate_core::schema::{Constraint, ConstraintKind, Index, IndexKeyKind, Schema, Table};
use migrate_tests::{Database, server};
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Executor, Row};

/// Every constraint with its columns, every index and every sequence of the schema `public`, a line each, sorted.
const LIVE: &str = r"
    select 'constraint ' || r.relname || ': ' || c.conname || ' (' || array_to_string(case when c.contype = 'c'
        then array(select a.attname from pg_attribute a where a.attrelid = r.oid and a.attnum = any (c.conkey) order by a.attnum < 0, a.attnum)
        else array(select a.attname from unnest(case when c.contype <> 'x' then c.conkey end) with ordinality k (number, place)
            join pg_attribute a on a.attrelid = r.oid and a.attnum = k.number order by k.place) end, ', ') || ')' as line
    from pg_constraint c join pg_class r on r.oid = c.conrelid
    where r.relnamespace = 'public'::regnamespace and c.contype in ('c', 'f', 'p', 'u', 'x')
    union all
    select 'index ' || r.relname || ': ' || c.relname
    from pg_index i join pg_class r on r.oid = i.indrelid join pg_class c on c.oid = i.indexrelid
    where r.relnamespace = 'public'::regnamespace
    union all
    select 'sequence ' || c.relname from pg_class c where c.relnamespace = 'public'::regnamespace and c.relkind = 'S'";

/// A connection to an empty database, which is used for many schemas one after the other.
struct Names {
    connection: PgConnection,
    _database: Database,
}

impl Names {
    async fn connect() -> Self {
        let database = Database::create(server()).await;
        Self { connection: database.connect().await, _database: database }
    }

    /// The names in an empty schema after these statements.
    async fn live(&mut self, sql: &str) -> Result<Vec<String>, sqlx::Error> {
        self.connection.execute("drop schema public cascade; create schema public").await?;
        self.connection.execute(sqlx::raw_sql(AssertSqlSafe(sql))).await?;
        let rows = self.connection.fetch_all(LIVE).await?;
        let mut lines = rows.iter().map(|row| row.try_get("line")).collect::<Result<Vec<String>, _>>()?;
        lines.sort();
        Ok(lines)
    }
}

/// The names that the model gives, or what it finds wrong.
fn modelled(sql: &str) -> Result<Vec<String>, String> {
    let mut schema = Schema::default();
    let mut steps = replay::steps(sql).map_err(|problems| format!("{problems:?}"))?;
    let report = replay::replay(&mut steps, &mut schema, "names");
    if !report.is_empty() {
        return Err(report.problems.iter().map(|problem| problem.text() + "\n").collect());
    }
    let mut lines = Vec::new();
    for table in schema.tables.values() {
        let name = &table.name.name;
        for constraint in table.constraints.values() {
            lines.push(format!("constraint {name}: {} ({})", constraint.name, columns(table, constraint).join(", ")));
            if constraint.kind.has_index() {
                lines.push(format!("index {name}: {}", constraint.name));
            }
        }
        lines.extend(table.indexes.keys().map(|index| format!("index {name}: {index}")));
        let identities = table.columns.iter().filter_map(|column| column.identity.as_ref());
        lines.extend(identities.map(|identity| format!("sequence {}", identity.sequence)));
    }
    lines.extend(schema.sequences.keys().map(|QualifiedName { name, .. }| format!("sequence {name}")));
    lines.sort();
    Ok(lines)
}

fn columns(table: &Table, constraint: &Constraint) -> Vec<String> {
    match &constraint.kind {
        ConstraintKind::PrimaryKey(key) | ConstraintKind::Unique(key) => {
            // the catalog tells key columns from included ones by the index alone
            key.columns.iter().map(ToString::to_string).collect()
        }
        ConstraintKind::ForeignKey(key) => key.columns.iter().map(ToString::to_string).collect(),
        // the catalog leaves out those within expressions
        ConstraintKind::Exclude { .. } => Vec::new(),
        ConstraintKind::Check { .. } => {
            let known = table.columns.iter().map(|column| column.name.as_str()).chain(["tableoid"]);
            known.filter(|column| constraint.kind.involves(column)).map(str::to_owned).collect()
        }
    }
}

#[tokio::test]
async fn statements_give_the_names_of_the_server() {
    let mut names = Names::connect().await;
    let mut failures = Vec::new();
    for sql in statements::STATEMENTS {
        match (modelled(sql), names.live(sql).await) {
            (Ok(model), Ok(live)) if model == live => {}
            (model, live) => failures.push(format!("{sql}\n  model: {model:#?}\n  server: {live:#?}")),
        }
    }
    assert!(failures.is_empty(), "{} of {} differ:\n\n{}", failures.len(), statements::STATEMENTS.len(), failures.join("\n\n"));
}

/// One index per expression, so that each name tells about one.
#[tokio::test]
async fn keys_are_called_what_the_server_calls_them() {
    let mut names = Names::connect().await;
    let mut failures = Vec::new();
    for key in statements::KEYS {
        let sql = format!("{}; create index on t ({key})", statements::TABLE);
        match (modelled(&sql), names.live(&sql).await) {
            (Ok(model), Ok(live)) if model == live => {}
            (model, live) => {
                let indexes = |lines: Vec<String>| lines.into_iter().filter(|line| line.starts_with("index")).collect::<Vec<_>>();
                failures.push(format!("{key}\n  model: {:?}\n  server: {:?}", model.map(indexes), live.map(indexes)));
            }
        }
    }
    assert!(failures.is_empty(), "{} of {} differ:\n\n{}", failures.len(), statements::KEYS.len(), failures.join("\n\n"));
}

#[tokio::test]
async fn checks_are_called_what_the_server_calls_them() {
    let mut names = Names::connect().await;
    let mut failures = Vec::new();
    for condition in statements::CONDITIONS {
        let sql = format!("{}; alter table t add check ({condition})", statements::TABLE);
        match (modelled(&sql), names.live(&sql).await) {
            (Ok(model), Ok(live)) if model == live => {}
            (model, live) => failures.push(format!("{condition}\n  model: {model:?}\n  server: {live:?}")),
        }
    }
    assert!(failures.is_empty(), "{} of {} differ:\n\n{}", failures.len(), statements::CONDITIONS.len(), failures.join("\n\n"));
}

/// Keeps the table above honest: an index on a plain column has that column as its key.
#[test]
fn a_column_in_parentheses_is_a_column() {
    for sql in ["create table t (a text); create index on t (((a)))", "create table t (a text); create index on t ((t.a))"] {
        let mut schema = Schema::default();
        replay::replay(&mut replay::steps(sql).unwrap(), &mut schema, "names");
        let keys = |index: &Index| index.keys.iter().all(|key| matches!(&key.kind, IndexKeyKind::Column(name) if *name == "a"));
        assert!(schema.table(&QualifiedName::public("t")).unwrap().indexes.values().all(keys), "{sql}");
    }
}
