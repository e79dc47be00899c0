//! What the faults meet: the migrations of the cases, each as a chain of its base and itself.

use migrate_core::schema::Schema;
use migrate_core::step::Action;
use migrate_runtime::Migrations;
use migrate_tests::case::Case;
use migrate_tests::chain::chain;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// The revision of a case's base.
pub const BASE: &str = "ba5eba5eba5e";
const MIGRATION: &str = "facefaceface";

/// Cases that do not come to the same in every database, and why.
const LEFT_OUT: [(&str, &str); 4] = [
    ("lints/ban_drop_database/loses_everything.case", "drops a database of the server"),
    ("lints/bypassing_row_security/role.case", "changes a role, which all databases share"),
    ("lints/frozen_default/time_of_the_migration.case", "keeps the time at which it was run"),
    ("lints/password_in_source/role.case", "makes a role, which all databases share"),
];

/// A case that goes up.
#[derive(Clone, Debug)]
pub struct Subject {
    /// Its file, below the folder of the cases.
    pub name: String,
    /// The base and the migration.
    pub chain: Migrations,
    /// The schema after both.
    pub model: Schema,
    /// The kinds of the migration's operations.
    pub kinds: BTreeSet<String>,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("cases")
}

impl Subject {
    /// All cases that a server of this version takes, in the order of their names.
    pub fn all(version: u32) -> Vec<Self> {
        let folder = folder();
        let files = Case::files(&folder).unwrap();
        let names = files.iter().map(|file| file.strip_prefix(&folder).unwrap().display().to_string());
        let names: Vec<String> = names.collect();
        for (name, reason) in LEFT_OUT {
            assert!(names.iter().any(|other| other == name), "there is no {name} to be left out because it {reason}");
        }
        names
            .into_iter()
            .filter(|name| LEFT_OUT.iter().all(|(other, _)| other != name))
            .filter_map(|name| Self::read(&name, version))
            .collect()
    }

    /// The case in this file, if a server of this version takes it.
    pub fn read(name: &str, version: u32) -> Option<Self> {
        let case = Case::read(&folder().join(name)).unwrap();
        if case.refused || case.server.is_some_and(|since| version < since) {
            return None;
        }
        let outcome = case.run().unwrap();
        if !outcome.errors.is_empty() {
            return None;
        }
        let operations = outcome.steps.iter().filter_map(|step| match &step.action {
            Action::Change(operation) => serde_json::to_value(operation).unwrap()["op"].as_str().map(str::to_owned),
            _ => None,
        });
        let kinds = operations.collect();
        let text = format!("=== {BASE} base\n{}\n=== {MIGRATION} migration after {BASE}\n{}", case.base, case.migration);
        Some(Self { name: name.to_owned(), chain: chain(&text), model: outcome.after, kinds })
    }

    /// Few subjects that have all kinds of operations among them, beginning from the front.
    pub fn covering(subjects: &[&'static Self]) -> Vec<&'static Self> {
        let mut missing: BTreeSet<&str> = subjects.iter().flat_map(|subject| subject.kinds.iter().map(String::as_str)).collect();
        let adds = |subject: &&&Self| subject.kinds.iter().filter(|kind| missing.remove(kind.as_str())).count() > 0;
        subjects.iter().filter(adds).copied().collect()
    }
}
