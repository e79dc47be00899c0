//! What the faults meet: the migrations of the cases, each as a chain of its base and itself.

use crate::way::Way;
use migrate_core::name::QualifiedName;
use migrate_core::operation::{Operate as _, Operation};
use migrate_core::schema::{ObjectKey, Origin, Schema};
use migrate_core::step::Action;
use migrate_core::verdict::advance;
use migrate_runtime::Migrations;
use migrate_tests::case::{Case, Outcome};
use migrate_tests::chain::chain;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// The revision of a case's base.
pub const BASE: &str = "ba5eba5eba5e";
const MIGRATION: &str = "facefaceface";

/// Cases that do not come to the same in every database, and why.
const LEFT_OUT: [(&str, &str); 5] = [
    ("comment_on/unmodelled.case", "loses a comment on `public` that no migration wrote"),
    ("lints/ban_drop_database/loses_everything.case", "drops a database of the server"),
    ("lints/bypassing_row_security/role.case", "changes a role, which all databases share"),
    ("lints/frozen_default/time_of_the_migration.case", "keeps the time at which it was run"),
    ("lints/password_in_source/role.case", "makes a role, which all databases share"),
];

/// What a way in batches adds to the base of a case, to its migration, and to the way back: what is lost or done twice shows.
const TABLE: &str = "create table in_batches (id integer primary key, n integer not null);
insert into in_batches select number, number from generate_series(1, 7) as numbers (number);
";
const FILL: &str = "backfill update in_batches set n = n + 100 in batches of 3;\n";
const EMPTY: &str = "backfill update in_batches set n = n - 100 in batches of 3";

/// A case that goes some way.
#[derive(Clone, Debug)]
pub struct Subject {
    /// Its file, below the folder of the cases.
    pub name: String,
    /// The way that it goes.
    pub way: Way,
    /// The base and the migration.
    pub chain: Migrations,
    /// The SQL of the base.
    pub base: String,
    /// The schema of the base.
    pub before: Schema,
    /// The schema after both.
    pub after: Schema,
    /// The kinds of the migration's operations.
    pub kinds: BTreeSet<String>,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("cases")
}

/// A case, and what comes of it in the model.
fn read(name: &str) -> (Case, Outcome) {
    let case = Case::read(&folder().join(name)).unwrap();
    let outcome = case.run().unwrap();
    (case, outcome)
}

impl Subject {
    /// All cases that a server of this version takes and that can go this way, in the order of their names.
    pub fn all(version: u32, way: Way) -> Vec<Self> {
        static ALL: OnceLock<Vec<(String, (Case, Outcome))>> = OnceLock::new();
        let folder = folder();
        let files = Case::files(&folder).unwrap();
        let names = files.iter().map(|file| file.strip_prefix(&folder).unwrap().display().to_string());
        let names: Vec<String> = names.collect();
        for (name, reason) in LEFT_OUT {
            assert!(names.iter().any(|other| other == name), "there is no {name} to be left out because it {reason}");
        }
        let names = names.into_iter().filter(|name| LEFT_OUT.iter().all(|(other, _)| other != name));
        let all = ALL.get_or_init(|| names.map(|name| (name.clone(), read(&name))).collect());
        all.iter().filter_map(|(name, (case, outcome))| Self::of(name, case, outcome, version, way)).collect()
    }

    /// The case in this file, if a server of this version takes it and it can go this way.
    pub fn read(name: &str, version: u32, way: Way) -> Option<Self> {
        let (case, outcome) = read(name);
        Self::of(name, &case, &outcome, version, way)
    }

    fn of(name: &str, case: &Case, outcome: &Outcome, version: u32, way: Way) -> Option<Self> {
        if case.refused || case.server.is_some_and(|since| version < since) {
            return None;
        }
        if !outcome.errors.is_empty() {
            return None;
        }
        if way == Way::DownInBatches {
            return Self::in_batches(name, case, &written(outcome)?);
        }
        let (declared, down) = match way {
            Way::Up => ("", String::new()),
            Way::Down => ("", outcome.down.is_ok().then(String::new)?),
            Way::DownAsWritten | Way::DownInBatches => ("", format!("\n--- down\n{}", script(&written(outcome)?))),
            Way::Replay => ("--- optional\n", can_be_skipped(case, outcome).then(String::new)?),
        };
        Some(Self::new(name, way, case, outcome, (declared, &down)))
    }

    /// The case with a table that is changed in batches, between whatever is done on the way back.
    fn in_batches(name: &str, case: &Case, down: &[String]) -> Option<Self> {
        let (base, migration) = (format!("{}\n{TABLE}", case.base), format!("{}\n{FILL}", case.migration));
        let case = Case { base, migration, ..case.clone() };
        let outcome = case.run().ok().filter(|outcome| outcome.errors.is_empty())?;
        let (first, last) = down.split_at(down.len() / 2);
        let down = [first, &[EMPTY.to_owned()], last].concat();
        Some(Self::new(name, Way::DownInBatches, &case, &outcome, ("", &format!("\n--- down\n{}", script(&down)))))
    }

    fn new(name: &str, way: Way, case: &Case, outcome: &Outcome, (declared, down): (&str, &str)) -> Self {
        let operations = outcome.steps.iter().filter_map(|step| match &step.action {
            Action::Change(operation) => serde_json::to_value(operation).unwrap()["op"].as_str().map(str::to_owned),
            _ => None,
        });
        let kinds = operations.collect();
        let (base, migration) = (&case.base, &case.migration);
        let text = format!("=== {BASE} base\n{declared}{base}\n=== {MIGRATION} migration after {BASE}\n{migration}{down}");
        let (before, after) = (outcome.before.clone(), outcome.after.clone());
        Self { name: name.to_owned(), way, chain: chain(&text), base: case.base.clone(), before, after, kinds }
    }

    /// What the catalog has to be once it has gone its way.
    pub fn model(&self) -> &Schema {
        if self.way.is_down() { &self.before } else { &self.after }
    }

    /// Few subjects that have all kinds of operations among them, beginning from the front.
    pub fn covering(subjects: &[&'static Self]) -> Vec<&'static Self> {
        let mut missing: BTreeSet<&str> = subjects.iter().flat_map(|subject| subject.kinds.iter().map(String::as_str)).collect();
        let adds = |subject: &&&Self| subject.kinds.iter().filter(|kind| missing.remove(kind.as_str())).count() > 0;
        subjects.iter().filter(adds).copied().collect()
    }
}

/// The statements of the derived way back, where each operation changes something: what one has found done already is not
/// for `down!` to reverse, nor what else is done to the same object.
fn written(outcome: &Outcome) -> Option<Vec<String>> {
    let statements = outcome.sql_down().filter(|statements| !statements.is_empty())?;
    let mut model = outcome.before.clone();
    let changes = |operation| advance(&mut model, operation, &Origin::default()).iter().any(|change| change.before != change.after);
    outcome.operations().all(changes).then_some(statements)
}

fn script(statements: &[String]) -> String {
    statements.iter().flat_map(|statement| [statement, ";\n"]).collect()
}

/// Whether the case comes to nothing where the tables of its base are absent: the base has tables only, and what belongs to
/// them, and each operation is about one of them, or about what an operation that was skipped would have created.
fn can_be_skipped(case: &Case, outcome: &Outcome) -> bool {
    let Ok(base) = migrate_core::replay::steps(&case.base) else { return false };
    let is_of_a_table =
        |key: &ObjectKey| matches!(key, ObjectKey::Index(_)) || key.table().is_some_and(|table| outcome.before.tables.contains_key(table));
    let base_is_tables = base.iter().all(|step| match &step.action {
        Action::Change(operation) => {
            let touched = operation.touches();
            !touched.is_empty() && touched.iter().all(is_of_a_table)
        }
        _ => false,
    });
    let mut missing: BTreeSet<QualifiedName> = outcome.before.tables.keys().cloned().collect();
    let is_skipped = |operation: &Operation| {
        let (touched, required) = (operation.touches(), operation.requires());
        // what a new table is called need not be there
        let is_new = matches!(operation, Operation::CreateTable(_));
        let needed = touched.iter().filter(|_| !is_new).chain(&required);
        let is_missing = needed.filter_map(ObjectKey::table).any(|table| missing.contains(table));
        missing.extend(touched.iter().filter(|_| is_missing).filter_map(ObjectKey::table).cloned());
        is_missing
    };
    !base.is_empty() && base_is_tables && outcome.operations().all(is_skipped)
}
