//! Whatever is made on SQLite is read back as the model has it, and no operation is needed twice.

use super::database::{Database, Failure};
use proptest::prelude::*;

fn column_type() -> impl Strategy<Value = (&'static str, Option<&'static str>)> {
    prop_oneof![
        Just(("text", Some("'it''s'"))),
        Just(("varchar(20)", Some("'x'::character varying"))),
        Just(("uuid", Some("gen_random_uuid()"))),
        Just(("timestamptz", Some("now()"))),
        Just(("timestamp", Some("(now() at time zone 'utc')"))),
        Just(("date", Some("current_date"))),
        Just(("integer", Some("-1"))),
        Just(("bigint", Some("0::bigint"))),
        Just(("numeric(10, 2)", Some("'1.5'::numeric"))),
        Just(("double precision", Some("1e3"))),
        Just(("boolean", Some("'t'"))),
        Just(("jsonb", Some("'{}'::jsonb"))),
        Just(("text[]", Some("'{}'"))),
        Just(("bytea", Some("'\\x00ff'::bytea"))),
        Just(("mood", Some("'happy'::mood"))),
        Just(("interval", None)),
    ]
}

#[derive(Clone, Debug)]
struct ColumnPlan {
    data_type: &'static str,
    default: Option<&'static str>,
    not_null: bool,
    unique: bool,
    check: bool,
    references: bool,
}

fn column() -> impl Strategy<Value = ColumnPlan> {
    (column_type(), any::<[bool; 5]>()).prop_map(|((data_type, default), [with_default, not_null, unique, check, references])| ColumnPlan {
        data_type,
        default: default.filter(|_| with_default),
        not_null: not_null && with_default && default.is_some(),
        unique,
        check,
        references,
    })
}

impl ColumnPlan {
    fn sql(&self, name: &str) -> String {
        let mut sql = format!("{name} {}", self.data_type);
        let clauses = [
            (self.not_null, " not null".to_owned()),
            (self.default.is_some(), format!(" default {}", self.default.unwrap_or_default())),
            (self.unique, " unique".to_owned()),
            (self.check, format!(" check ({name} is not null or length({name}) <> 7)")),
            (
                self.references && self.data_type == "bigint",
                " references targets on delete cascade deferrable initially deferred".to_owned(),
            ),
        ];
        sql.extend(clauses.into_iter().filter(|(said, _)| *said).map(|(_, clause)| clause));
        sql
    }
}

fn migration() -> impl Strategy<Value = Vec<String>> {
    let key = prop_oneof![
        Just("id bigserial primary key"),
        Just("id integer generated always as identity primary key"),
        Just("id uuid primary key default gen_random_uuid()"),
        Just("id integer primary key"),
        Just("id text not null"),
    ];
    let columns = prop::collection::vec(column(), 0..6);
    let added = prop::collection::vec(column(), 0..4);
    let dropped = prop::collection::vec(0_usize..10, 0..4);
    (key, columns, added, dropped).prop_map(|(key, columns, added, dropped)| {
        let mut parts = vec![key.to_owned()];
        parts.extend(columns.iter().enumerate().map(|(i, column)| column.sql(&format!("c{i}"))));
        if columns.len() > 2 {
            parts.push("constraint together unique (c0, c1)".to_owned());
            parts.push("check (c0 is not null or c1 is not null or c2 is null)".to_owned());
        }
        let mut statements = vec![format!("create table things ({})", parts.join(", "))];
        for (i, column) in added.iter().enumerate() {
            statements.push(format!(
                "alter table things add column a{i} {}",
                column.sql("").trim_start().replace("( ", &format!("(a{i} ")).replace("()", &format!("(a{i})"))
            ));
        }
        for number in dropped {
            let name = if number < columns.len() { format!("c{number}") } else { format!("a{}", number % 4) };
            if statements[0].contains(&format!(" {name} "))
                || statements.iter().any(|statement| statement.contains(&format!("column {name} ")))
            {
                statements.push(format!("alter table things drop column if exists {name}"));
            }
        }
        statements
    })
}

const BASE: &str = "create table targets (id bigserial primary key, name text);";

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, ..ProptestConfig::default() })]

    #[test]
    fn what_is_made_is_read_back(statements in migration()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut database = Database::with(BASE).await;
            database.model.enums.insert(
                migrate_core::name::QualifiedName::public("mood"),
                migrate_core::schema::EnumType {
                    labels: vec!["happy".to_owned(), "it's".to_owned()],
                    comment: None,
                    access: migrate_core::schema::Access::default(), origin: migrate_core::schema::Origin::default(),
                },
            );
            for (number, statement) in statements.iter().enumerate() {
                if let Err(failure) = database.migrate(statement).await {
                    panic!("{statements:#?}\n{statement}: {failure:?}");
                }
                database.assert_like_model().await;
                if number == 0 {
                    database.run("insert into targets (name) values ('t')").await.unwrap();
                }
            }
        });
    }
}

#[tokio::test]
async fn an_enum_column_takes_its_labels_only() {
    let mut database = Database::with(BASE).await;
    database.model.enums.insert(
        migrate_core::name::QualifiedName::public("mood"),
        migrate_core::schema::EnumType {
            labels: vec!["a".to_owned()],
            comment: None,
            access: migrate_core::schema::Access::default(),
            origin: migrate_core::schema::Origin::default(),
        },
    );
    database.migrate("alter table targets add column mood mood not null default 'a'").await.unwrap();
    database.run("insert into targets (name) values ('x')").await.unwrap();
    let error = database.run("insert into targets (mood) values ('b')").await.unwrap_err();
    assert!(error.to_string().contains("CHECK constraint failed: mood_enum"), "{error}");
}

#[tokio::test]
async fn another_definition_is_a_conflict() {
    let mut database = Database::with(BASE).await;
    database.run("create table things (id integer primary key, a text default 'y')").await.unwrap();
    let failure = database.migrate("create table things (id integer primary key, a text default 'x')").await.unwrap_err();
    assert!(matches!(failure, Failure::Verdict(migrate_core::verdict::Verdict::Conflict(_))), "{failure:?}");
    database.run("create table same (id integer primary key, a text default 'x')").await.unwrap();
    assert_eq!(database.migrate("create table same (id integer primary key, a text default 'x')").await.unwrap(), []);
}
