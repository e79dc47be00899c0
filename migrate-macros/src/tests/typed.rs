//! The names of tables and columns in Rust steps, and what is left of the checks where nobody knows the file.

use migrate_core::replay::{replay, steps};
use migrate_core::schema::Schema;

use super::{complaints, tokens};
use crate::check::{self, Checked};
use crate::constants::Tree;
use crate::lints::Acknowledged;
use crate::report::Report;
use crate::uses::Uses;
use crate::{chain, expand, list, module, typed};

fn schema(sql: &str) -> Schema {
    let mut schema = Schema::default();
    let mut steps = steps(sql).unwrap_or_else(|problems| panic!("{problems:?}"));
    let report = replay(&mut steps, &mut schema, "m0001_base");
    assert!(report.is_empty(), "{:?}", report.problems);
    schema
}

fn path(text: &str) -> Vec<String> {
    text.split("::").map(str::to_owned).collect()
}

#[test]
fn tables_and_columns_are_constants_with_their_quoted_names() {
    let schema = schema(
        "create schema billing; create table documents (id bigint primary key, \"Mixed Case\" text, \"order\" int, \"2nd\" int);
         create table billing.invoices (id int); create table \"type\" (id int); create table billing (id int)",
    );
    let tree = Tree::of(&[schema]);
    let value = |module: &str, name: &str| path(module).iter().fold(&tree, |tree, name| &tree.modules[name]).constants[name].value.clone();
    assert_eq!(value("documents", "TABLE"), "documents");
    assert_eq!(value("documents", "MIXED_CASE"), "\"Mixed Case\"");
    assert_eq!(value("documents", "ORDER"), "\"order\"");
    assert_eq!(value("documents", "_2ND"), "\"2nd\"");
    assert_eq!(value("billing::invoices", "TABLE"), "billing.invoices");
    assert_eq!(value("billing", "TABLE"), "billing");
    assert_eq!(
        tree.modules["documents"].constants["ID"].documentation,
        "`id` of `documents`: `bigint`, not null, created by `m0001_base`, line 1."
    );
    let rust = tree.expand().to_string();
    assert!(rust.contains("pub mod r#type { # [doc"), "{rust}");
}

#[test]
fn names_that_would_be_one_are_left_out_and_said() {
    let tree = Tree::of(&[schema(
        "create table t (\"a b\" int, a_b int, \"table\" int, ok int); create table \"T\" (id int); create table u (id int)",
    )]);
    assert_eq!(tree.modules.keys().collect::<Vec<_>>(), ["u"]);
    assert!(tree.documentation.contains("Not here are `T` and `t`, which would be `t` too."), "{}", tree.documentation);
    let tree = Tree::of(&[schema("create table t (\"a b\" int, a_b int, \"table\" int, ok int)")]);
    let table = &tree.modules["t"];
    assert_eq!(table.constants.keys().collect::<Vec<_>>(), ["OK", "TABLE"]);
    assert!(table.documentation.contains("`a b` and `a_b`"), "{}", table.documentation);
    assert!(table.documentation.contains("Not here is `table`"), "{}", table.documentation);
}

#[test]
fn only_what_is_there_at_every_run_counts() {
    let (first, second) = (schema("create table a (x int, y int); create table b (id int)"), schema("create table a (y int, z int)"));
    let tree = Tree::of(&[first, second]);
    assert!(tree.has(&path("a::Y")) && tree.has(&path("a::TABLE")));
    assert!(!tree.has(&path("a::X")) && !tree.has(&path("a::Z")) && !tree.has(&path("b")));
}

#[test]
fn uses_are_found_wherever_they_stand() {
    let uses = Uses::of(&tokens(
        "use schema::documents::{TITLE, BODY as TEXT}; use self::schema::users;
         async fn f() { g(format!(\"{}\", schema::notes::TABLE), crate::schema::other::ID, x.schema, users::ID) }",
    ));
    let paths: Vec<String> = uses.paths.iter().map(|path| path.iter().map(ToString::to_string).collect::<Vec<_>>().join("::")).collect();
    assert_eq!(paths, ["documents::TITLE", "documents::BODY", "users", "notes::TABLE"]);
    assert!(uses.members.iter().any(|(module, member)| module == "users" && member == "ID"));
    assert!(uses.mentioned && !uses.own && !uses.glob);
}

#[test]
fn a_schema_of_the_author_wins() {
    for own in ["mod schema { }", "use crate::schema;", "use crate::{schema, other};", "use crate::tables as schema;"] {
        assert!(Uses::of(&tokens(own)).own, "{own}");
    }
    for other in ["use crate::schema::users;", "use crate::schema as tables;", "use schema::documents;", "fn schema() {}"] {
        assert!(!Uses::of(&tokens(other)).own, "{other}");
    }
    assert!(Uses::of(&tokens("use super::*;")).glob);
    assert!(!Uses::of(&tokens("use schema::documents::*;")).glob);
}

/// What the attribute makes of a module, at a place of which nobody knows the file.
fn expanded(arguments: &str, item: &str) -> (String, Vec<(String, String)>) {
    let mut report = Report::new();
    let Some((module, migration)) = module::parse(tokens(arguments), tokens(item), &mut report) else { panic!("no migration") };
    let checked = if report.problems().is_empty() { check::check(&migration, &mut report) } else { Checked::default() };
    let schema = typed::schema(&module.items, &migration, &checked, &mut report);
    (expand::migration(&module, &migration, &checked, &schema, &report).to_string(), complaints(&report))
}

#[test]
fn without_a_file_there_are_no_false_errors() {
    let item = "mod titles {
        use schema::users;
        up! {
            include \"somewhere.sql\";
            alter table nowhere add column x nothing references neither;
            drop index nobody;
            run fill;
            delete from them;
        }
        async fn fill(tx: &mut Tx<'_>) { tx.execute(&format!(\"{} {}\", schema::documents::TITLE, users::ID)) }
    }";
    let (rust, told) = expanded(r#"revision = "2", parent = "1""#, item);
    assert_eq!(told, []);
    for stand_in in ["pub mod documents {", "pub const TITLE : & str", "pub mod users {", "pub const ID : & str"] {
        assert!(rust.contains(stand_in), "{stand_in}: {rust}");
    }
}

#[test]
fn without_a_file_a_mistake_of_the_text_itself_is_still_one() {
    let (_, told) = expanded(r#"revision = "2", parent = "1""#, "mod titles { up! { alter tabel t add column x int; select 'a'; } }");
    assert_eq!(told.len(), 1, "{told:?}");
}

#[test]
fn without_a_file_a_list_is_taken_as_it_is() {
    let mut report = Report::new();
    let list = list::parse(tokens("dialects: [sqlite]; mod m0002; mod m0001;"), &mut report);
    let chain = chain::check(&list, &mut report);
    assert_eq!((chain.modules, chain.file.as_str(), chain.has_lock), (vec!["m0002".to_owned(), "m0001".to_owned()], "", false));
    assert_eq!(complaints(&report), []);
}

#[test]
fn nothing_is_generated_that_nobody_asks_for() {
    let (rust, _) = expanded(r#"revision = "1""#, "mod m { up! { run f; } async fn f() {} }");
    assert!(!rust.contains("mod schema"), "{rust}");
    let (rust, _) = expanded(r#"revision = "1""#, "mod m { use crate::schema; up! { run f; } async fn f() { schema::users::ID } }");
    assert!(!rust.contains("mod schema"), "{rust}");
    let (rust, _) = expanded(r#"revision = "1""#, "mod m { use super::*; up! { run f; } async fn f() { schema::users::ID } }");
    assert!(!rust.contains("mod schema"), "{rust}");
}

#[test]
fn hover_shows_sql_locks_costs_and_what_was_acknowledged() {
    use crate::{hover, steps};

    let text = "#[migration(revision = \"2\", parent = \"1\")] mod m {
        up! {
            #[allow(ban_drop_column, reason = \"no reader since
                release 41\")]
            alter table t drop column a;
            alter table t alter column b type text;
            create table u (t bigint references t);
            run f;
        }
        down! { drop table u; }
    }";
    let source = crate::sources::parse(text).unwrap_or_else(|error| panic!("{error}")).unwrap_or_else(|| panic!("nothing found"));
    let found = &source.migrations[0];
    assert_eq!(found.problems, []);
    let line = |place| found.line(place);
    let read = steps::read(&found.migration, None, &line);
    let base = schema("create table t (id bigint primary key, a int, b int)");
    let mut checked = check::on(&base, read, "m0002");
    let retyped = Acknowledged { step: 1, lint: "changing_column_type", reason: "a small table".into() };
    checked.acknowledged.push(retyped);
    checked.locked = true;
    let documentation = hover::documentation(&found.migration, &checked, &line);
    let expected = "

# Up

````sql
-- allowed: ban_drop_column, because: no reader since release 41
-- AccessExclusiveLock on t: blocks reads and writes
-- loses data that no way back restores
alter table public.t drop column a;
-- allowed: changing_column_type, because: a small table
-- AccessExclusiveLock on t: blocks reads and writes
-- writes every row of t anew
alter table public.t alter column b type text;
-- ShareRowExclusiveLock on t: blocks writes
create table public.u (
    t bigint,
    constraint u_t_fkey foreign key (t) references public.t (id)
);
-- run `f`
````

Locked in `migrations.lock`: what it does can't be edited any more.

# Down

````sql
-- AccessExclusiveLock on u: blocks reads and writes
-- AccessExclusiveLock on t: blocks reads and writes
-- loses data that no way back restores
drop table public.u;
````
";
    assert_eq!(documentation, expected);
}

#[test]
fn a_table_that_is_renamed_is_no_newer_for_it() {
    let text = "#[migration(revision = \"2\", parent = \"1\")] mod m {
        up! { alter table t rename to u; alter table u add column a int; create table v (a int); alter table v add column b int; }
    }";
    let source = crate::sources::parse(text).unwrap_or_else(|error| panic!("{error}")).unwrap_or_else(|| panic!("nothing found"));
    let found = &source.migrations[0];
    let read = crate::steps::read(&found.migration, None, &|place| found.line(place));
    let checked = check::on(&schema("create table t (id bigint primary key)"), read, "m0002");
    let locked: Vec<Vec<String>> =
        checked.effects.iter().map(|effects| effects.locks.iter().map(|(table, _)| table.to_string()).collect()).collect();
    assert_eq!(locked, [vec!["t"], vec!["u"], vec![], vec![]]);
}
