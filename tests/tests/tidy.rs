//! The rules of the repository that no compiler keeps.
#![expect(clippy::unwrap_used, reason = "a test that can't go on has failed")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// All files below a folder of the repository with this ending, by their paths in it.
fn files(folder: &str, ending: &str) -> Vec<PathBuf> {
    let mut open = vec![root().join(folder)];
    let mut found = Vec::new();
    while let Some(path) = open.pop() {
        if path.is_dir() {
            if !path.ends_with("target") && !path.ends_with("corpus") {
                open.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
            }
        } else if path.to_string_lossy().ends_with(ending) {
            found.push(path.strip_prefix(root()).unwrap().to_owned());
        }
    }
    found.sort();
    found
}

fn read(path: &Path) -> String {
    fs::read_to_string(root().join(path)).unwrap()
}

/// The part of a file that is not its tests.
fn code(path: &Path) -> String {
    let text = read(path);
    text.split("#[cfg(test)]").next().unwrap_or_default().to_owned()
}

fn stems(folder: &str) -> BTreeSet<String> {
    let stem = |path: PathBuf| path.file_stem().unwrap().to_string_lossy().into_owned();
    files(folder, ".rs").into_iter().map(stem).collect()
}

fn assert_none(what: &str, wrong: &[String]) {
    assert!(wrong.is_empty(), "{what}:\n{}", wrong.join("\n"));
}

#[test]
fn core_does_no_io() {
    let banned = [
        "std::fs",
        "std::net",
        "std::process",
        "std::env",
        "std::thread",
        "tokio",
        "sqlx",
        "println!",
        "migrate_macros",
        "migrate_runtime",
    ];
    let wrong: Vec<_> = files("migrate-core/src", ".rs")
        .into_iter()
        .flat_map(|path| {
            banned.iter().filter(|word| code(&path).contains(**word)).map(|word| format!("{}: {word}", path.display())).collect::<Vec<_>>()
        })
        .collect();
    assert_none("core is pure, and knows neither of its users", &wrong);
}

#[test]
fn one_module_of_the_macros_reads_files() {
    let reads = |path: &PathBuf| ["std::fs", "fs::", "File::"].iter().any(|word| code(path).contains(word));
    let wrong = files("migrate-macros/src", ".rs").into_iter().filter(reads).map(|path| path.display().to_string());
    let wrong: Vec<_> = wrong.filter(|path| !path.ends_with("siblings.rs") && !path.contains("tests")).collect();
    assert_none("only siblings.rs reads files", &wrong);
}

#[test]
fn the_runtime_knows_no_macros_of_its_own_and_core_few_crates() {
    let manifest = read(Path::new("migrate-core/Cargo.toml"));
    let dependencies = manifest.split("[dependencies]").nth(1).unwrap().split("\n[").next().unwrap();
    let names: Vec<_> = dependencies
        .lines()
        .filter_map(|line| line.split([' ', '.']).next())
        .filter(|name| !name.is_empty() && !name.starts_with('#'))
        .collect();
    assert_eq!(
        names,
        ["indexmap", "serde", "serde_json", "sha2", "squawk-syntax", "strsim", "thiserror"],
        "ask whether core needs another crate"
    );
}

#[test]
fn every_operation_says_what_it_does() {
    let headings = ["SQL", "Lock", "Rewrites", "Transaction", "Undo", "Since", "Source"];
    let mut wrong = Vec::new();
    for path in files("migrate-core/src/ops", ".rs") {
        if !code(&path).contains("impl Operate for") {
            continue;
        }
        let text = read(&path);
        let header: String = text.lines().take_while(|line| line.starts_with("//!")).flat_map(|line| [line, "\n"]).collect();
        let missing: Vec<_> = headings.iter().filter(|heading| !header.contains(&format!("- **{heading}**: "))).collect();
        if !missing.is_empty() {
            wrong.push(format!("{}: {missing:?}", path.display()));
        }
    }
    assert_none("the header of an operation has all headings", &wrong);
}

#[test]
fn every_operation_has_cases_and_every_case_an_operation() {
    let operations: BTreeSet<String> = files("migrate-core/src/ops", ".rs")
        .into_iter()
        .filter(|path| code(path).contains("impl Operate for"))
        .map(|path| path.file_stem().unwrap().to_string_lossy().into_owned())
        .collect();
    let folders = fs::read_dir(root().join("tests/cases")).unwrap().map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned());
    let folders: BTreeSet<String> = folders.filter(|name| name != "lints").collect();
    let few: Vec<_> = operations.iter().filter(|name| files(&format!("tests/cases/{name}"), ".case").len() < 2).cloned().collect();
    assert_none("an operation has a case that works and one that doesn't", &few);
    // `alter table` is many operations
    let orphans: Vec<_> = folders.difference(&operations).filter(|name| *name != "alter_table").cloned().collect();
    assert_none("cases of no operation", &orphans);
    let lints =
        fs::read_dir(root().join("tests/cases/lints")).unwrap().map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned());
    let known = stems("migrate-core/src/lints");
    assert_none("cases of no lint", &lints.filter(|name| !known.contains(name)).collect::<Vec<_>>());
}

#[test]
fn every_compile_error_is_written_down_beside_its_mistake() {
    let folder = |path: PathBuf| path.parent().unwrap().display().to_string();
    let mistakes: BTreeSet<_> = files("tests/ui/fail", "main.rs").into_iter().map(folder).collect();
    let messages: BTreeSet<_> = files("tests/ui/fail", "main.stderr").into_iter().map(folder).collect();
    assert_none("no message for", &mistakes.difference(&messages).cloned().collect::<Vec<_>>());
    assert_none("no mistake for", &messages.difference(&mistakes).cloned().collect::<Vec<_>>());
}

#[test]
fn files_are_short_enough_to_be_read() {
    let long = |path: &PathBuf| read(path).lines().count() > 600;
    let all = ["migrate-core/src", "migrate-macros/src", "migrate-runtime/src", "tests/src", "tests/tests"];
    let wrong: Vec<_> = all.iter().flat_map(|folder| files(folder, ".rs")).filter(long).map(|path| path.display().to_string()).collect();
    assert_none("split these", &wrong);
}
