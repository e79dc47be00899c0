//! Types, names and nullability change, and the values with them: as PostgreSQL would have it, or not at all.

use super::database::Database;

async fn with_values(data_type: &str, values: &str) -> Database {
    let mut database = Database::with(&format!("create table things (id bigserial primary key, a {data_type})")).await;
    database.run(&format!("insert into things (a) values {values}")).await.unwrap();
    database
}

/// The values of a column of type `from` after its change to `to`, with their storage.
async fn converted(from: &str, values: &str, to: &str) -> Result<Vec<String>, String> {
    let mut database = with_values(from, values).await;
    let before = database.schema().await;
    let alter = format!("alter table things alter column a type {to}");
    if let Err(failure) = database.migrate(&alter).await {
        assert_eq!(database.schema().await, before);
        return Err(failure.text());
    }
    database.assert_like_model().await;
    Ok(database.rows("select coalesce(a, 'null') || ' ' || typeof(a) from things order by id").await)
}

#[tokio::test]
async fn values_follow_the_type() {
    for (from, values, to, expected) in [
        ("text", "('1'), (' 2 '), (null)", "integer using a::integer", &["1 integer", "2 integer", "null null"][..]),
        ("text", "('1.5'), ('2')", "numeric using a::numeric", &["1.5 real", "2 integer"]),
        ("text", "('t'), ('No'), (null)", "boolean using a::boolean", &["1 integer", "0 integer", "null null"]),
        ("integer", "(1), (0), (7)", "boolean using a::boolean", &["1 integer", "0 integer", "1 integer"]),
        ("boolean", "(true), (false)", "text", &["true text", "false text"]),
        ("integer", "(1), (-2)", "text", &["1 text", "-2 text"]),
        ("numeric", "(1.5), (2), (-0.4)", "integer", &["2 integer", "2 integer", "0 integer"]),
        ("integer", "(1)", "double precision", &["1.0 real"]),
        ("text", "('abc')", "integer using length(a)", &["3 integer"]),
        ("integer", "(3)", "bigint using a * 2", &["6 integer"]),
        ("text", "('x')", "varchar(10) using upper(a)", &["X text"]),
        ("timestamptz", "('2020-01-02 03:04:05'), ('?')", "date using a::date", &["2020-01-02 text", "? text"]),
        ("varchar(10)", "('x')", "text", &["x text"]),
        ("text", "('{1,2}')", "integer[] using a::integer[]", &["{1,2} text"]),
    ] {
        assert_eq!(converted(from, values, to).await.unwrap(), expected, "{from} to {to}");
    }
}

#[tokio::test]
async fn a_value_that_does_not_fit_stops_it() {
    for (from, values, to, message) in [
        ("text", "('1'), ('abc')", "integer using a::integer", "column things.a holds values that can't be made integer"),
        ("text", "('maybe')", "boolean using a::boolean", "column things.a holds values that can't be made boolean"),
        ("text", "('1.5x')", "numeric using a::numeric", "column things.a holds values that can't be made numeric"),
        ("text", "('1.5')", "integer using a::integer", "column things.a holds values that can't be made integer"),
        ("text", "('x')", "integer using a || 'y'", "column things.a holds values that can't be made integer"),
    ] {
        let error = converted(from, values, to).await.unwrap_err();
        assert!(error.contains(&format!("CHECK constraint failed: {message}")), "{error}");
    }
}

#[tokio::test]
async fn null_and_not_null() {
    let mut database = with_values("text default 'd'", "('x'), (null)").await;
    let failure = database.migrate("alter table things alter column a set not null").await.unwrap_err();
    assert!(failure.text().contains("NOT NULL constraint failed"), "{}", failure.text());
    database.run("update things set a = 'y' where a is null").await.unwrap();
    database.migrate("alter table things alter column a set not null").await.unwrap();
    assert_eq!(database.rows("select a from things").await, ["x", "y"]);
    database.migrate("alter table things alter column a drop not null; alter table things alter column a drop default").await.unwrap();
    database.run("insert into things default values").await.unwrap();
    assert_eq!(database.rows("select a from things").await, ["x", "y", "null"]);
    database.migrate("alter table things alter column a set default 'e'").await.unwrap();
    database.run("insert into things default values").await.unwrap();
    assert_eq!(database.rows("select a from things where id = 4").await, ["e"]);
    database.assert_like_model().await;
}

#[tokio::test]
async fn names_change_everywhere() {
    let mut database = Database::with(
        "create table things (id bigserial primary key, a text check (a <> ''), unique (a));
         create table parts (id bigserial primary key, thing bigint not null references things on delete cascade);",
    )
    .await;
    database.run("insert into things (a) values ('x'); insert into parts (thing) values (1)").await.unwrap();
    database.run("create view names as select a from things; create index things_a on things (lower(a)) where a > ' '").await.unwrap();
    database.migrate("alter table things rename column a to name; alter table things rename to objects").await.unwrap();
    assert_eq!(database.rows("select name from objects").await, ["x"]);
    assert_eq!(database.rows("select * from names").await, ["x"]);
    database.migrate("alter table objects alter column name set default 'n'").await.unwrap();
    assert!(database.run("insert into objects (name) values ('')").await.is_err());
    database.run("delete from objects").await.unwrap();
    assert_eq!(database.rows("select count(*) from parts").await, ["0"]);
    assert_eq!(
        database.rows("select sql from sqlite_schema where name = 'things_a'").await,
        ["CREATE INDEX things_a on \"objects\" (lower(name)) where name > ' '"]
    );
    database.run("insert into objects default values").await.unwrap();
    assert_eq!(database.rows("select id || name from objects").await, ["2n"]);
}
