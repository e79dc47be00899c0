//! The other files of the chain.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use migrate_core::chain::Node;

use crate::ancestry;
use crate::siblings::{self, Folder};
use crate::sources::Source;

/// A folder of its own for each test, removed at its end.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("migrate-macros-{}-{name}", std::process::id()));
        fs::remove_dir_all(&path).ok();
        fs::create_dir_all(&path).unwrap_or_else(|error| panic!("{error}"));
        Self(path)
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.join(name);
        fs::create_dir_all(path.parent().unwrap_or(&path)).unwrap_or_else(|error| panic!("{error}"));
        fs::write(&path, content).unwrap_or_else(|error| panic!("{error}"));
        path
    }

    fn beside(&self, name: &str) -> Arc<Folder> {
        siblings::folder_of(&self.0.join(name)).unwrap_or_else(|error| panic!("{error}"))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).ok();
    }
}

fn migration(revision: &str, parent: &str) -> String {
    format!(
        "use migrate_runtime::migration;\n#[migration(revision = \"{revision}\", parent = \"{parent}\")]\n\
         mod m{revision} {{\n    up! {{\n        create table t{revision} (\n            a text[] default \"it's\"\n        );\n    }}\n}}\n"
    )
}

fn revisions(folder: &Folder) -> Vec<String> {
    let migrations = folder.files.iter().flat_map(|file| &file.source.migrations);
    migrations.filter_map(|found| Some(found.migration.header.as_ref()?.revision.value.clone())).collect()
}

#[test]
fn migrations_and_lists_of_a_folder_are_found() {
    let folder = Scratch::new("found");
    folder.write("m1.rs", migration("1", "0"));
    folder.write("m2.rs", format!("#!/usr/bin/env run\n\u{feff}{}", migration("2", "1")).replace('\u{feff}', ""));
    folder.write("many.rs", format!("mod inner {{ {} }} {}", migration("3", "2"), migration("4", "3")));
    folder.write("path.rs", "#[doc = \"x\"] #[migrate_runtime::migration(revision = \"5\")] #[cfg(unix)] pub mod five { up! { run f; } }");
    folder.write("mod.rs", "migrate_runtime::migrations! { mod m1; pub mod m2; }");
    folder.write("other.rs", "//! Not about them.\nfn main() {}");
    folder.write("talks.rs", "//! It talks of a migration.\nfn main() {}");
    folder.write("notes.txt", migration("9", "8"));
    let found = folder.beside("m1.rs");
    assert_eq!(found.errors, []);
    assert_eq!(revisions(&found), ["1", "2", "3", "4", "5"]);
    let lists: Vec<&Vec<String>> = found.files.iter().flat_map(|file| &file.source.lists).map(|list| &list.modules).collect();
    assert_eq!(lists, [&vec!["m1".to_owned(), "m2".to_owned()]]);
    let names: Vec<_> = found.files.iter().filter_map(|file| file.path.file_name()).collect();
    assert_eq!(names, ["m1.rs", "m2.rs", "many.rs", "mod.rs", "path.rs"]);
}

#[test]
fn a_sibling_is_read_as_the_same_sql_as_its_own_expansion() {
    let folder = Scratch::new("same");
    folder.write("m1.rs", migration("1", "0").replace('\n', "\r\n"));
    let found = folder.beside("m1.rs");
    let sibling = &found.files[0].source.migrations[0];
    assert_eq!(sibling.problems, []);
    match &sibling.migration.up[0].kind {
        crate::statement::StatementKind::Sql(sql) => {
            assert_eq!(sql.text, "create table t1 (\n    a text[] default 'it''s'\n)");
        }
        other => panic!("{other:?}"),
    }
    assert!(!found.files[0].text.contains('\r'));
}

#[test]
fn problems_of_a_sibling_are_kept() {
    let folder = Scratch::new("problems");
    folder.write("m1.rs", "#[migration(revision = \"1\")] mod m1 { up! { select 'a'; } }");
    folder.write("m2.rs", "#[migration] mod m2 { up! { } }");
    let found = folder.beside("m1.rs");
    let problems: Vec<usize> = found.files.iter().flat_map(|file| &file.source.migrations).map(|found| found.problems.len()).collect();
    assert_eq!(problems, [1, 1]);
}

#[test]
fn files_that_cannot_be_read_are_errors_with_their_names() {
    let folder = Scratch::new("broken");
    folder.write("m1.rs", migration("1", "0"));
    let broken = folder.write("m2.rs", "#[migration(revision = \"2\")]\nmod m2 { up! { ");
    let binary = folder.write("m3.rs", [0xff, 0xfe]);
    let found = folder.beside("m1.rs");
    assert_eq!(revisions(&found), ["1"]);
    let errors: Vec<String> = found.errors.iter().map(ToString::to_string).collect();
    assert_eq!(
        errors,
        [
            format!("cannot parse `{}`: it is not valid Rust from line 2, column 14 on", broken.display()),
            format!("cannot read `{}`: invalid utf-8 sequence of 1 bytes from index 0", binary.display()),
        ]
    );
    let missing = siblings::folder_of(&folder.0.join("nowhere/m1.rs")).err().unwrap_or_else(|| panic!("no error"));
    assert_eq!((missing.verb, missing.path.as_path()), ("list", folder.0.join("nowhere").as_path()));
}

/// Changes a folder and waits until it is looked at again.
fn later() {
    std::thread::sleep(siblings::FRESH + std::time::Duration::from_millis(20));
}

#[test]
fn a_file_is_read_again_when_it_changes_and_only_then() {
    let folder = Scratch::new("cache");
    folder.write("m1.rs", migration("1", "0"));
    folder.write("m2.rs", migration("2", "1"));
    let first = folder.beside("m1.rs");
    later();
    assert!(Arc::ptr_eq(&first, &folder.beside("m2.rs")), "nothing changed");
    folder.write("m2.rs", migration("two", "1"));
    later();
    let second = folder.beside("m1.rs");
    assert_eq!(revisions(&second), ["1", "two"]);
    assert!(Arc::ptr_eq(&first.files[0], &second.files[0]), "the other file is kept");
    folder.write("m3.rs", migration("3", "two"));
    later();
    assert_eq!(revisions(&folder.beside("m1.rs")), ["1", "two", "3"]);
    fs::remove_file(folder.0.join("m1.rs")).unwrap_or_else(|error| panic!("{error}"));
    later();
    assert_eq!(revisions(&folder.beside("m1.rs")), ["two", "3"]);
}

#[test]
fn a_folder_knows_the_list_of_the_module_above_it() {
    let folder = Scratch::new("above");
    folder.write("migrations/m1.rs", migration("1", "0"));
    let list = folder.write("migrations.rs", "migrations! { mod m1; }");
    let found = folder.beside("migrations/m1.rs");
    assert_eq!(found.files.iter().map(|file| file.source.lists.len()).sum::<usize>(), 1);
    let of_list = siblings::folder_of_list(&list, Some("m1")).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(revisions(&of_list), ["1"]);
    let root = folder.write("main.rs", "migrations! { mod m0; }");
    folder.write("m0.rs", migration("0", ""));
    let of_root = siblings::folder_of_list(&root, Some("m0")).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(revisions(&of_root), ["0"]);
}

#[test]
fn includes_are_relative_to_the_file_that_names_them() {
    let folder = Scratch::new("include");
    let file = folder.write("m1.rs", migration("1", "0"));
    folder.write("schema/production.sql", "create table t (\r\n a int);\r\n");
    let include = siblings::include(&file, "schema/production.sql").unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(include.text, "create table t (\n a int);\n");
    assert_eq!(include.path, folder.0.join("schema/production.sql"));
    let again = siblings::include(&file, "schema/production.sql").unwrap_or_else(|error| panic!("{error}"));
    assert!(Arc::ptr_eq(&include, &again));
    let missing = siblings::include(&file, "schema/prod.sql").err().unwrap_or_else(|| panic!("no error"));
    assert!(missing.to_string().starts_with("cannot read `"), "{missing}");
    assert!(missing.to_string().contains("prod.sql`: No such file"), "{missing}");
}

#[test]
fn a_thousand_files_are_read_once() {
    let folder = Scratch::new("thousand");
    for number in 1..=1000 {
        folder.write(&format!("m{number:04}.rs"), migration(&number.to_string(), &(number - 1).to_string()));
    }
    let first = folder.beside("m0001.rs");
    assert_eq!(first.files.len(), 1000);
    for number in 1..=20 {
        let again = folder.beside(&format!("m{number:04}.rs"));
        assert!(Arc::ptr_eq(&first, &again));
    }
}

#[test]
fn what_is_before_a_migration_is_known_in_any_order_and_follows_its_files() {
    let folder = Scratch::new("before");
    folder.write("schema.sql", "create table authors (id bigint);");
    folder.write("m1.rs", "#[migration(revision = \"1\")]\nmod m1 { up! { include \"schema.sql\"; } }");
    folder.write("m2.rs", migration("2", "1"));
    folder.write("m3.rs", migration("3", "2"));
    let tables_before = |revision: &str, parents: &[&str]| -> Vec<String> {
        let parents = parents.iter().map(|parent| (*parent).to_owned()).collect();
        let node = Node { revision: revision.to_owned(), parents, name: format!("m{revision}") };
        ancestry::before(&folder.beside("m1.rs"), &node).schema.tables.keys().map(ToString::to_string).collect()
    };
    // the compiler asks for the last one first
    assert_eq!(tables_before("3", &["2"]), ["authors", "t2"]);
    assert_eq!(tables_before("2", &["1"]), ["authors"]);
    assert_eq!(tables_before("1", &[]), Vec::<String>::new());
    folder.write("schema.sql", "create table books (id bigint primary key);");
    later();
    assert_eq!(tables_before("3", &["2"]), ["books", "t2"], "an included file has changed");
    folder.write("m2.rs", migration("2", "1").replace("t2", "more"));
    later();
    assert_eq!(tables_before("3", &["2"]), ["books", "more"]);
    assert_eq!(tables_before("2", &["1"]), ["books"]);
}

#[test]
fn a_test_is_not_in_a_source_file() {
    assert_eq!(siblings::current_file(|_| false), None);
    assert!(siblings::folder_of(Path::new("Cargo.toml")).is_ok(), "a bare name stands in the current folder");
}

#[test]
fn a_file_is_found_by_what_it_holds_where_nobody_tells() {
    let scratch = Scratch::new("only");
    scratch.write("main.rs", "fn main() {}");
    let first = scratch.write("migrations/m0001.rs", migration("aaaaaaaaaaaa", ""));
    let second = scratch.write("migrations/m0002.rs", migration("bbbbbbbbbbbb", "aaaaaaaaaaaa"));
    let holding = |revision: &str| {
        let is = |source: &Source| {
            let headers = source.migrations.iter().filter_map(|it| it.migration.header.as_ref());
            headers.map(|header| header.revision.value.as_str()).any(|other| other == revision)
        };
        siblings::only_file(&scratch.0, &is)
    };
    assert_eq!(holding("aaaaaaaaaaaa"), Some(first));
    assert_eq!(holding("bbbbbbbbbbbb"), Some(second));
    assert_eq!(holding("cccccccccccc"), None);
    scratch.write("migrations/m0003.rs", migration("aaaaaaaaaaaa", ""));
    std::thread::sleep(2 * siblings::FRESH);
    assert_eq!(holding("aaaaaaaaaaaa"), None, "two files have it");
}
