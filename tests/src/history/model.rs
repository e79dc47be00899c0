//! One migration in the model.

use super::Migration;
use migrate_core::lower;
use migrate_core::operation::{Operate, Operation};
use migrate_core::replay;
use migrate_core::schema::Schema;
use migrate_core::step::{Action, Step};
use std::collections::BTreeMap;

/// What came of replaying a migration.
#[derive(Clone, Debug, Default)]
pub struct Replayed {
    /// How many statements it has.
    pub statements: usize,
    /// Its steps, with all names filled in.
    pub steps: Vec<Step>,
    /// How many statements of each kind the model has no operation for.
    pub opaque: BTreeMap<String, usize>,
    /// What the model finds wrong, each with file and line.
    pub problems: Vec<String>,
}

impl Replayed {
    /// Reads the text as an `include` does, and replays it on `schema`.
    pub fn of(migration: &Migration, schema: &mut Schema) -> Self {
        let mut replayed = Self::default();
        let statements = match lower::parse_file(&migration.sql) {
            Ok(statements) => statements,
            Err(problems) => {
                let line =
                    |problem: &lower::SyntaxProblem| format!("{}: syntax: {}", migration.place(problem.at.range().start), problem.message);
                replayed.problems = problems.iter().map(line).collect();
                return replayed;
            }
        };
        replayed.statements = statements.len();
        for statement in statements {
            let line = u32::try_from(migration.line(statement.at.range().start));
            let step =
                |operation| Step { if_exists: statement.if_exists, ..Step::new(Action::Change(operation), line.unwrap_or(u32::MAX)) };
            replayed.steps.extend(statement.operations.into_iter().map(step));
        }
        for step in &replayed.steps {
            if let Action::Change(Operation::Opaque(opaque)) = &step.action {
                *replayed.opaque.entry(opaque.kind.clone()).or_default() += 1;
            }
        }
        let report = replay::replay(&mut replayed.steps, schema, &migration.name);
        for problem in &report.problems {
            let text = problem.text().replace('\n', "\n    ");
            replayed.problems.push(format!("{}: {text}", migration.place(problem.at.0 as usize)));
        }
        replayed
    }

    /// What it does.
    pub fn operations(&self) -> impl Iterator<Item = &Operation> {
        self.steps.iter().filter_map(|step| match &step.action {
            Action::Change(operation) => Some(operation),
            _ => None,
        })
    }

    /// Whether the model has an operation for everything in it.
    #[must_use]
    pub fn is_typed(&self) -> bool {
        !self.operations().any(|operation| matches!(operation, Operation::Opaque(_)))
    }

    /// Its steps without those that read or write data and leave the schema alone.
    #[must_use]
    pub fn without_data(&self) -> Vec<Step> {
        let changes_schema = |step: &&Step| match &step.action {
            Action::Change(Operation::Opaque(opaque)) => !DATA.contains(&opaque.kind.as_str()),
            _ => true,
        };
        self.steps.iter().filter(changes_schema).cloned().collect()
    }

    /// As a person says it, for messages.
    #[must_use]
    pub fn describe(&self, step: usize) -> String {
        self.steps
            .get(step)
            .and_then(|step| match &step.action {
                Action::Change(operation) => Some(operation.describe()),
                _ => None,
            })
            .unwrap_or_default()
    }
}

/// Kinds of statements that leave the schema alone, but for the functions that a `select` may call.
const DATA: &[&str] =
    &["insert", "update", "delete", "select", "merge", "values", "truncate", "lock", "set", "reset", "analyze", "vacuum", "reindex"];
