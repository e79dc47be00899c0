//! A chain in a file: what a macro leaves in a binary, without compiling hundreds of modules.

use crate::workloads::Workload;
use migrate_core::checksum::checksum;
use migrate_core::replay::{replay, steps};
use migrate_core::schema::{Presence, Schema};
use migrate_core::step::{Action, Step};
use migrate_runtime::{Down, Migration, Migrations};

/// What differs between two migrations of a chain: revision, checksum, and the steps as JSON.
type Row = (String, String, String);

fn declarations(sql: &str) -> Vec<Step> {
    let declare = |step: Step| match step.action {
        Action::Change(operation) => Step::new(Action::Declare { presence: Presence::Optional, operation }, step.line),
        other => Step::new(other, step.line),
    };
    steps(sql).unwrap_or_default().into_iter().map(declare).collect()
}

/// The chain as text.
///
/// # Panics
/// Where the SQL isn't accepted.
#[must_use]
pub fn write(workload: &Workload) -> String {
    let mut schema = Schema::default();
    let row = |(number, migration): (usize, &Vec<String>)| -> Row {
        let mut all = if number == 0 { declarations(&workload.optional) } else { Vec::new() };
        let own = steps(&migration.join(";\n"));
        assert!(own.is_ok(), "{own:?}");
        all.extend(own.unwrap_or_default());
        let report = replay(&mut all, &mut schema, "benchmark");
        assert!(report.is_empty(), "{:?}", report.problems);
        (format!("r{number:05}"), checksum(&all, &[]), serde_json::to_string(&all).unwrap_or_default())
    };
    let rows: Vec<Row> = workload.migrations.iter().enumerate().map(row).collect();
    serde_json::to_string(&rows).unwrap_or_default()
}

/// The chain of such a text. It is leaked, as a binary's constants live for ever.
///
/// # Errors
/// Where it is another text.
pub fn read(text: &str) -> serde_json::Result<Migrations> {
    let rows: Vec<Row> = serde_json::from_str(text)?;
    let mut migrations: Vec<&'static Migration> = Vec::new();
    for (revision, checksum, up) in rows {
        let revision: &'static str = revision.leak();
        let parents: &'static [&'static str] = migrations.last().map_or(&[], |last| vec![last.revision].leak());
        migrations.push(Box::leak(Box::new(Migration {
            revision,
            parents,
            name: revision,
            file: "benchmark",
            summary: "",
            checksum: checksum.leak(),
            up: up.leak(),
            down: Down::Derived,
            functions: &[],
            batch_functions: &[],
        })));
    }
    Ok(Migrations::new(migrations.leak()))
}
