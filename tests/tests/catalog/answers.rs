//! What the server says about expressions that text can't compare.

use migrate_core::name::{Name, QualifiedName};
use migrate_core::schema::{ObjectKey, Schema};
use migrate_core::verdict::{Question, Subject};
use migrate_runtime::postgres::{catalog, normalize};
use migrate_tests::proxy::Proxy;
use migrate_tests::{Database, Server, server, servers};
use sqlx::{Connection, Executor, PgConnection, Row};
use std::time::Duration;

const BASE: &str = "
    create type status as enum ('draft', 'done');
    create function double(integer) returns integer language sql immutable as 'select $1 * 2';
    create table documents (
        id integer primary key, title varchar(50) default 'a', made timestamptz default '2020-01-01', day date default '2020-01-01',
        data jsonb default '{\"a\": 1}', state status default 'draft', price numeric(10, 2) default 1.5, done boolean default true,
        doubled integer generated always as (double(id)) stored, during daterange,
        constraint states check (title in ('a', 'b')), constraint either check ((price > 0 or done) and id > 0),
        constraint free exclude using gist (during with &&) where (id > 0)
    );
    create index lowered on documents (lower(title)) where state = 'draft' and not done;
    create view titles as select id, title from documents where price > 0 limit 10;
    create table events (at date, name text) partition by range ((lower(name)));";

fn documents() -> QualifiedName {
    QualifiedName::public("documents")
}

/// A question about the live definition of something, with what the model could have in its place.
fn question(live: &Schema, key: ObjectKey, aspect: &str, model: &str) -> Question {
    let definition = live.definition(&key).unwrap_or_else(|| panic!("no {key}"));
    let value = definition.get(aspect).unwrap_or_else(|| panic!("{key} has no {aspect}"));
    let subject = Subject::of(live, &key, aspect);
    Question { key, aspect: aspect.to_owned(), subject, model: model.to_owned(), live: value.to_string() }
}

fn of_column(live: &Schema, column: &str, aspect: &str, model: &str) -> Question {
    question(live, ObjectKey::Column(documents(), Name::new(column)), aspect, model)
}

fn of_table(live: &Schema, aspect: &str, model: &str) -> Question {
    question(live, ObjectKey::Table(documents()), aspect, model)
}

fn of_index(live: &Schema, aspect: &str, model: &str) -> Question {
    question(live, ObjectKey::Index(QualifiedName::public("lowered")), aspect, model)
}

fn of_view(live: &Schema, model: &str) -> Question {
    question(live, ObjectKey::View(QualifiedName::public("titles")), "query", model)
}

fn of_partitioning(live: &Schema, model: &str) -> Question {
    question(live, ObjectKey::Table(QualifiedName::public("events")), "partitioning", model)
}

async fn set_up(server: &Server) -> (Database, PgConnection, Schema) {
    let database = Database::create(server).await;
    database.execute(BASE).await.unwrap();
    let mut connection = database.connect().await;
    let live = catalog::snapshot(&mut connection).await.unwrap();
    (database, connection, live)
}

fn same(live: &Schema) -> Vec<Question> {
    vec![
        of_column(live, "day", "default", "'2020-1-1'"),
        of_column(live, "day", "default", "date '2020-01-01'"),
        of_column(live, "made", "default", "'2020-01-01' -- the first day"),
        of_column(live, "data", "default", "'{\"a\":1}'::jsonb"),
        of_column(live, "state", "default", "('draft')::status"),
        of_column(live, "price", "default", "'1.50'"),
        of_column(live, "done", "default", "'t'"),
        of_column(live, "doubled", "generated", "public.double(documents.id)"),
        of_table(live, "constraint states: check", "title in ('a', 'b')"),
        of_table(live, "constraint either: check", "(price > 0 or documents.done) and id > 0"),
        of_table(live, "constraint free: exclude", "using gist (during with operator(pg_catalog.&&)) where (id > 0)"),
        of_index(live, "key 1", "lower(title)"),
        of_index(live, "where", "state = 'draft' and not done"),
        of_view(live, "select documents.id, title from public.documents where (price > 0) limit 10"),
        of_view(live, "(id, title) as select id, title from documents where price > 0 limit 10"),
        of_partitioning(live, "partition by range ( ( lower(name) ) )"),
    ]
}

fn different(live: &Schema) -> Vec<Question> {
    vec![
        of_column(live, "day", "default", "'2020-1-2'"),
        of_column(live, "day", "default", "current_date"),
        of_column(live, "state", "default", "'done'"),
        of_column(live, "price", "default", "1.51"),
        of_column(live, "done", "default", "'f'"),
        of_column(live, "doubled", "generated", "double(id + 1)"),
        of_table(live, "constraint states: check", "title in ('a', 'c')"),
        of_table(live, "constraint either: check", "price > 0 or (done and id > 0)"),
        of_table(live, "constraint free: exclude", "using gist (during with &&)"),
        of_index(live, "key 1", "upper(title)"),
        of_index(live, "where", "state = 'done' and not done"),
        of_view(live, "select id, title from documents where price > 0 limit 11"),
        of_view(live, "select id, title as name from documents where price > 0 limit 10"),
        of_partitioning(live, "partition by range ((upper(name)))"),
    ]
}

/// What the server doesn't accept, or can't even parse.
fn rejected(live: &Schema) -> Vec<Question> {
    vec![
        of_column(live, "day", "default", "'tomorrow morning'"),
        of_column(live, "state", "default", "'unheard of'"),
        of_column(live, "price", "default", "nowhere()"),
        of_column(live, "price", "default", "1 +"),
        of_table(live, "constraint either: check", "missing > 0"),
        of_table(live, "constraint free: exclude", "using btree (during with &&)"),
        of_view(live, "select id from nowhere"),
        of_view(live, "select id from"),
        of_partitioning(live, "partition by range ((random()))"),
    ]
}

async fn check(connection: &mut PgConnection, questions: &[Question], expected: impl Fn(usize) -> bool, in_transaction: bool) {
    let answers = normalize::answer(connection, questions, in_transaction).await.unwrap();
    assert_eq!(answers.len(), questions.len());
    for (i, question) in questions.iter().enumerate() {
        assert_eq!(answers[i], expected(i), "{question:?}");
    }
}

#[tokio::test]
async fn spellings_are_the_same_and_meanings_are_not() {
    for server in servers() {
        let (database, mut connection, live) = set_up(server).await;
        let (same, different) = (same(&live), different(&live));
        check(&mut connection, &same, |_| true, false).await;
        check(&mut connection, &different, |_| false, false).await;
        assert_eq!(database.logged_errors().await, [], "none of the questions was a mistake");
        // one after the other, between rejected ones, the answers are the same
        let mut all = Vec::new();
        for (i, rejected) in rejected(&live).into_iter().enumerate() {
            all.extend([same[i].clone(), rejected, different[i].clone()]);
        }
        check(&mut connection, &all, |i| i % 3 == 0, false).await;
        assert_eq!(catalog::snapshot(&mut connection).await.unwrap(), live, "nothing is left behind");
    }
}

#[tokio::test]
async fn an_open_transaction_survives_every_question() {
    let (_database, mut connection, live) = set_up(server()).await;
    connection.execute("begin; set local search_path to elsewhere; create table public.kept (id integer)").await.unwrap();
    let mut all = Vec::new();
    for (same, rejected) in same(&live).into_iter().zip(rejected(&live)) {
        all.extend([same, rejected]);
    }
    check(&mut connection, &all, |i| i % 2 == 0, true).await;
    let row = connection.fetch_one("select current_setting('search_path'), txid_current_if_assigned() is not null").await.unwrap();
    assert_eq!((row.get::<String, _>(0).as_str(), row.get::<bool, _>(1)), ("elsewhere", true));
    connection.execute("commit").await.unwrap();
    let after = catalog::snapshot(&mut connection).await.unwrap();
    assert_eq!(after.tables.len(), live.tables.len() + 1);
}

#[tokio::test]
async fn expressions_are_compared_where_nothing_may_be_written() {
    let (_database, mut connection, live) = set_up(server()).await;
    connection.execute("set default_transaction_read_only to on").await.unwrap();
    let questions: Vec<_> =
        same(&live).into_iter().filter(|question| matches!(question.subject, Subject::Value { .. } | Subject::Expression { .. })).collect();
    assert!(questions.len() >= 10);
    check(&mut connection, &questions, |_| true, false).await;
    connection.execute("begin read only").await.unwrap();
    check(&mut connection, &questions, |_| true, true).await;
}

#[tokio::test]
async fn a_missing_privilege_is_no_answer() {
    let (database, mut connection, live) = set_up(server()).await;
    database.execute("do $$ begin create role nobody_special login; exception when duplicate_object then null; end $$").await.unwrap();
    connection.execute("set role nobody_special").await.unwrap();
    let questions = [of_table(&live, "constraint states: check", "title in ('a', 'b')")];
    let error = normalize::answer(&mut connection, &questions, false).await.unwrap_err();
    assert_eq!(error.sqlstate().as_deref(), Some("42501"));
    // a default mentions no table
    check(&mut connection, &[of_column(&live, "day", "default", "'2020-1-1'")], |_| true, false).await;
}

#[tokio::test]
async fn everything_is_one_round_trip() {
    let (database, _, live) = set_up(server()).await;
    let proxy = Proxy::start(server(), Duration::ZERO).unwrap();
    let mut connection = PgConnection::connect(&proxy.url(database.url())).await.unwrap();
    let questions: Vec<Question> = (0..300).map(|i| of_table(&live, "constraint either: check", &format!("id > {i}"))).collect();
    proxy.reset_counters();
    check(&mut connection, &questions, |_| false, false).await;
    assert_eq!(proxy.counters().round_trips, 1);
    catalog::snapshot(&mut connection).await.unwrap();
    assert_eq!(proxy.counters().round_trips, 2);
    connection.execute("begin").await.unwrap();
    catalog::snapshot_in_transaction(&mut connection).await.unwrap();
    assert_eq!(proxy.counters().round_trips, 4);
}
